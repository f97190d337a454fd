#!/bin/sh
# Builds the library alone, installs it to a temporary folder, and builds and runs a program that finds it there by
# find_package(Homeostat). With every compiler given, or with clang++-19 and g++.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(dirname -- "$(dirname -- "$here")")
[ $# -gt 0 ] || set -- clang++-19 g++
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
exec 3>&1 >"$work/log" 2>&1
trap 'cat "$work/log" >&3; rm -rf -- "$work"; exit 1' INT TERM HUP

step() {
  "$@" || { cat "$work/log" >&3; echo "failed: $*" >&3; exit 1; }
}

for compiler in "$@"; do
  folder=$work/$(basename -- "$compiler")
  step cmake -S "$root" -B "$folder/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER="$compiler" \
    -DHOMEOSTAT_SHELL=OFF -DHOMEOSTAT_TESTS=OFF
  step cmake --build "$folder/build" --target homeostat_core
  step cmake --install "$folder/build" --prefix "$folder/prefix" --component library
  step cmake -S "$here/consumer" -B "$folder/consumer" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$folder/prefix"
  step cmake --build "$folder/consumer"
  step "$folder/consumer/consumer"
  step "$folder/consumer/consumer_noexcept"
  echo "$compiler: installed, found, built and run" >&3
done
