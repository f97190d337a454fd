#!/bin/bash
# check_clang_tidy.sh PRESET ROOMS…: clang-tidy over the sources of the rooms. A file that was clean is not looked at
# again until it, a header it includes, its flags or the checks change.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dir=$root/build/$1
shift
rooms=$(IFS='|'; echo "$*")
lists=$root/build/clang-tidy
clean=${XDG_CACHE_HOME:-$HOME/.cache}/homeostat/clang-tidy # one empty file for each that was clean, in any clone
mkdir -p "$lists" "$clean"
cd "$root"

# One line a source: the file, then a hash of everything its verdict depends on. ninja knows what each object was made
# from (it must have been built).
fingerprints() {
  local common source inputs
  common=$(cat .clang-tidy cmake/HomeostatFlags.cmake <(clang-tidy-19 --version))
  ninja -C "$dir" -t deps | awk -v root="$root/" '
    /: #deps/ { source = ""; next }
    /^    / {
      sub(/^ +/, "")
      if (substr($0, 1, 3) == "../") { sub(/^(\.\.\/)+/, root) }
      if (index($0, root) != 1) next
      if (source == "") source = $0
      print source, $0
    }' | sort -u >"$lists/inputs"
  for source in $(cut -d ' ' -f 1 "$lists/inputs" | sort -u | grep -E "^$root/src/($rooms)/.*\.cc$"); do
    [[ $source != *_test.cc ]] || continue
    [ -f "$source" ] || continue
    inputs=$(awk -v source="$source" '$1 == source { print $2 }' "$lists/inputs" | xargs cat 2>/dev/null | sha256sum)
    echo "$source $(printf '%s%s%s' "$common" "${source#"$root"/}" "$inputs" | sha256sum | cut -c 1-40)"
  done
}

# look SOURCE STAMP
look() {
  clang-tidy-19 --quiet -p "$dir" "$1" 2>&1 | grep -v 'warnings generated\|^Suppressed\|^Use -'
  [ "${PIPESTATUS[0]}" -eq 0 ] && touch "$2"
}

fingerprints >"$lists/sources"
count=$(wc -l <"$lists/sources")
[ "$count" -gt 0 ] || { echo "no sources in $dir: build it first" >&2; exit 1; }
while read -r source hash; do
  [ -e "$clean/$hash" ] || printf '%s\n%s\n' "$source" "$clean/$hash"
done <"$lists/sources" >"$lists/todo"
export dir
export -f look
xargs -r -a "$lists/todo" -P "$(nproc)" -n 2 bash -c 'look "$0" "$1"'
echo "clang-tidy: $count files clean"
