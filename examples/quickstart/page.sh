#!/bin/bash
# The notifier of the example: adds what it is told to the file `pages` beside it.
set -euo pipefail
printf '%(%H:%M:%S)T %s\n' -1 "$*" >>"$(dirname "$0")/pages"
