#!/bin/bash
# Every shell script is sound to shellcheck.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
find quickstart test .ci scripts tests fuzz examples packaging -type f \( -name '*.sh' -o -perm -u+x \) -print0 |
  xargs -0 grep -lZE '^#(!/bin/bash|.*shell=bash)' | xargs -0 shellcheck -x --severity=warning --exclude=SC1091,SC2154
