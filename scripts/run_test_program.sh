#!/bin/bash
# run_test_program.sh LANE PROGRAM: runs one GoogleTest program and writes one result line a test.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/scripts/lib.sh"
lane=$1 program=$2 name=$(basename "$2")
out=$results/$lane/$name
mkdir -p "$results/$lane"
begun=$EPOCHREALTIME

# A program that has passed and has not changed since need not run again in a quick run. Those that start the daemon
# change with it; the tidy test looks at the tree.
fingerprint() {
  local more=()
  local beside
  beside=$(dirname "$program")
  [ -d "$root/src/${name%_test}" ] || more=("$beside/homeostat" "$beside/quickstart_service")
  cat "$program" "${more[@]}" 2>/dev/null | sha256sum
}
now=$(fingerprint)
if [ "${HOMEOSTAT_QUICK:-}" = 1 ] && [ "$name" != tidy_test ] && [ "$now" = "$(cat "$out.passed" 2>/dev/null)" ]; then
  exit 0
fi

rm -f "$out.xml" "$out.tsv" "$out.passed"
# Properties try the same random cases in every run, so that a change is judged and not chance; RC_PARAMS=seed=N tries
# others.
export RC_PARAMS=${RC_PARAMS:-seed=1}
timeout -k 10 600 "$program" --gtest_output="xml:$out.xml" --gtest_color=no >"$out.log" 2>&1 </dev/null
code=$?
[ -f "$out.xml" ] && awk -v program="$name" '
  function attribute(name,   at) {
    if (!match($0, " " name "=\"[^\"]*\"")) return ""
    at = RSTART + length(name) + 3
    return substr($0, at, RSTART + RLENGTH - at - 1)
  }
  function flush() { if (test != "") printf "%s\t%s\t%s\t%s\n", verdict, program, test, reason; test = "" }
  /<testcase / {
    flush()
    test = attribute("classname") "." attribute("name"); reason = ""
    verdict = attribute("status") == "run" && attribute("result") == "completed" ? "pass" : "skip"
    if (attribute("status") == "notrun") reason = "disabled"
  }
  /<failure/ { verdict = "fail"; reason = "see build/results" }
  /<skipped/ { reason = attribute("message") }
  END { flush() }' "$out.xml" >"$out.tsv"
if [ $code -ne 0 ] && ! grep -q '^fail' "$out.tsv" 2>/dev/null; then
  record "$lane" "$name" fail "$name" "ended with status $code"
fi
[ -s "$out.tsv" ] || record "$lane" "$name" fail "$name" "no tests in it"
if grep -q '^fail' "$out.tsv"; then
  say "FAILED  $lane $name ($(since "$begun") s), from build/results/$lane/$name.log:"
  grep -n -B 30 -E '\[  FAILED  \]|Sanitizer' "$out.log" | head -n 80
  [ $code -le 1 ] || tail -n 20 "$out.log"
else
  echo "$now" >"$out.passed"
  say "ok      $lane $name, $(wc -l <"$out.tsv") tests ($(since "$begun") s)"
fi
