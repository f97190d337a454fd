#!/bin/bash
# One line each for opossum and cockatiel, measured here: ns of CPU a call, closed and open. Needs node and npm.
# usage: bench/breaker_npm.sh
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cp "$here/breaker_npm.js" "$dir/"
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund opossum@9 cockatiel@3
node breaker_npm.js
