#!/bin/bash
# Breaks the example in six ways from outside and judges from outside whether each ended as it should.
# demo.sh [--shadow]: Homeostat only watches; every fault must then stay.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
. "$(dirname "${BASH_SOURCE[0]}")/judge.sh"
shadow=()
patience=12000 # milliseconds a repair may take before it counts as none
if [ "${1:-}" = --shadow ]; then
  shadow=(--shadow)
  patience=5000
fi
begun=$(milliseconds)
daemon='' follower=''

title() { printf '\n== %(%T)T  %s\n' -1 "$*"; }
note() { printf '   %5d ms  %s\n' "$((ended - fault_at))" "$*"; }

start_homeostat() {
  "$homeostat" run --config "$config" --state-dir "$dir/state" --socket "$dir/socket" "$@" \
    >>"$dir/homeostat.log" 2>&1 &
  daemon=$!
}
# The verbs that only read answer without it, too.
daemon_answers() { curl -s -m 1 -o /dev/null --unix-socket "$dir/socket" http://homeostat/v1/status; }
kill_homeostat() {
  kill -9 "$daemon" 2>/dev/null
  wait "$daemon" 2>/dev/null
}
# follow ARGUMENTS…: shows what Homeostat writes into its history, from now on.
follow() {
  [ -z "$follower" ] || { kill "$follower" 2>/dev/null; wait "$follower" 2>/dev/null; }
  "$homeostat" history --state-dir "$dir/state" --socket "$dir/socket" --follow "$@" \
    2>/dev/null > >(sed -u 's/^/          | /') &
  follower=$!
}

cleanup() {
  local one
  [ -z "$follower" ] || kill "$follower" 2>/dev/null
  if [ -n "$daemon" ] && kill -TERM "$daemon" 2>/dev/null; then
    until_true 5000 eval '[ -z "$(birth "$daemon")" ]' || kill -9 "$daemon"
  fi
  for one in $(example_pids); do kill -9 "$one"; done
  if [ "${keep:-}" = 1 ]; then echo "its log, journal and files: $dir"; else rm -rf "$dir"; fi
} 2>/dev/null

results=() failures=0
healed() {
  note "healed: $*"
  results+=("healed        $fault  $((ended - fault_at)) ms")
}
not_healed() {
  note "NOT REPAIRED: $*"
  results+=("NOT REPAIRED  $fault")
  failures=$((failures + 1))
}
# fault NAME WORDS: remembers who is there and starts the clock.
fault() {
  fault=$1
  title "$1: $2"
  remember "$a"
  remember "$b"
  fault_at=$(milliseconds)
  ended=$fault_at
}
# judge BROKEN OTHER: the broken instance must be replaced, the other must not be touched.
judge() {
  if ! until_true $patience is_replaced "$1"; then
    if look "$1"; then not_healed "port $1 answers $code, version $version"; else not_healed "port $1 is silent"; fi
  elif ! is_untouched "$2"; then
    not_healed "port $1 was replaced, but port $2 was touched too"
  elif old_one_stays "$1"; then
    not_healed "port $1 was replaced, but pid ${was_pid[$1]} is still there"
  elif [ "$(servers_of "$1")" != 1 ]; then
    not_healed "port $1 has $(servers_of "$1") processes"
  else
    is_replaced "$1"
    healed "port $1 is served by pid $pid instead of ${was_pid[$1]:-none}; port $2 was not touched"
  fi
}
# The next fault comes when the repair of this one has proved itself, so that it is a new one.
repair_is_over() {
  local status
  status=$(curl -s -m 1 --unix-socket "$dir/socket" 'http://homeostat/v1/status?service=web') &&
    [[ $status == *'"status":"healthy"'*'"incident":null'* ]]
}
settle() { [ ${#shadow[@]} -gt 0 ] || until_true 10000 repair_is_over; }

crash() {
  fault crash "kill -9 of instance $a"
  kill -9 "${was_pid[$a]:-0}" 2>/dev/null
  judge "$a" "$b"
}
http_500() {
  fault http-500 "instance $b answers 500"
  curl -s -m 1 -o /dev/null -X POST "http://127.0.0.1:$b/fault?kind=500"
  judge "$b" "$a"
}
hang() {
  fault hang "SIGSTOP of instance $a"
  [ -z "${was_pid[$a]:-}" ] || kill -STOP "${was_pid[$a]}" 2>/dev/null
  judge "$a" "$b"
}
killed_repair() {
  fault killed-repair "instance $b answers 500 and ignores SIGTERM; Homeostat is killed (-9) while it stops it"
  local victim=${was_pid[$b]:-0}
  ctl history >"$dir/before" 2>/dev/null
  curl -s -m 1 -o /dev/null -X POST "http://127.0.0.1:$b/fault?kind=stubborn"
  if ! until_true $patience is_terminating "$b"; then
    not_healed "nobody began to stop pid $victim"
    return
  fi
  kill_homeostat
  if ! is_terminating "$b" || [ "$pid" != "$victim" ]; then
    not_healed "the repair was over before Homeostat was killed"
    return
  fi
  note "pid $victim says that it has been told to end; Homeostat has been killed, pid $victim is still there"
  start_homeostat "${shadow[@]}"
  until_true 5000 daemon_answers
  follow --limit 1
  judge "$b" "$a"
}
# Only a release that has been well for long enough (stable_after) is rolled back to.
v1_is_stable() { ctl status web 2>/dev/null | grep -q '^stable versions:.*v1'; }
bad_release() {
  [ ${#shadow[@]} -gt 0 ] || until_true 5000 v1_is_stable
  fault bad-release "homeostat deploy web v2-broken"
  ctl deploy web v2-broken >"$dir/deploy.log" 2>&1 &
  local deploy=$!
  if ! until_true $patience broken_is_seen; then
    not_healed "version v2-broken was never seen"
  else
    note "v2-broken has been seen on port $broken, answering $code"
    local other=$((a + b - broken))
    judge "$broken" "$other"
  fi
  wait $deploy
}
broken_is_seen() {
  for broken in "$a" "$b"; do
    look "$broken" && [ "$version" = v2-broken ] && return 0
  done
  return 1
}
crash_loop() {
  fault crash-loop "fragile dies 200 ms after each start: no restart can help, a person must be told"
  touch "$dir/fragile/v1/crashing"
  look "$c" && kill -9 "$pid"
  if until_true $patience grep -qs fragile "$dir/pages"; then
    healed "escalated: $(grep -m 1 fragile "$dir/pages")"
  else
    not_healed "nobody was told"
  fi
}
history_is_kept() {
  fault history "what was known before kill -9 is still known"
  ctl history >"$dir/after" 2>&1
  ended=$(milliseconds)
  if [ -s "$dir/before" ] && ! grep -vxFf "$dir/after" "$dir/before"; then
    healed "all $(wc -l <"$dir/before") lines from before are there, $(wc -l <"$dir/after") now"
  else
    not_healed "lines are missing"
  fi
}

[ -x "$homeostat" ] || { echo "no $homeostat: run ./quickstart --build-only" >&2; exit 2; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/homeostat-demo.XXXXXX")
trap cleanup EXIT
trap 'exit 130' INT TERM
# Not where another demo looks for free ports at the same moment: it would kill what it finds there.
make_folder "$dir" $((18100 + $$ % 600 * 20)) || exit 2
a=$((base + 1)) b=$((base + 2)) c=$((base + 11))
fault_at=$begun

title "start: two instances of web (ports $a and $b), one of fragile (port $c)"
start_homeostat
if ! until_true 10000 eval 'is_well $a && is_well $b && is_well $c'; then
  echo "the example did not come up; the last lines of its log:" >&2
  tail -n 20 "$dir/homeostat.log" >&2
  exit 2
fi
note "all three answer"
if [ ${#shadow[@]} -gt 0 ]; then
  # The instances outlive it; from here on it may only watch.
  kill_homeostat
  start_homeostat --shadow
  until_true 5000 daemon_answers
  note "Homeostat has been started again with --shadow"
fi
follow
settle

crash
settle
http_500
settle
hang
settle
killed_repair
settle
bad_release
settle
crash_loop
[ ${#shadow[@]} -gt 0 ] || history_is_kept

sleep 0.3
kill "$follower" 2>/dev/null
follower=''
title history
ctl history
title stats
ctl stats
title "result, after $((($(milliseconds) - begun) / 1000)) s"
printf '%s\n' "${results[@]}"
[ $failures -eq 0 ] || [ ${#shadow[@]} -gt 0 ] || keep=1
exit $((failures > 0))
