#!/bin/bash
# Every C++ file is as clang-format writes it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
find include src sim tests fuzz examples bench \( -name '*.cc' -o -name '*.hpp' \) -print0 |
  xargs -0 -P "$(nproc)" -n 16 clang-format-19 --dry-run -Werror
