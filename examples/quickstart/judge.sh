# shellcheck shell=bash
# Sourced by demo.sh: looks at the service from outside, as its users do. Nothing here asks Homeostat.

milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# look PORT: sets code, nonce, pid, version, and the start time the kernel gives that pid. Fails when nobody answers.
look() {
  local answer
  code=0 nonce='' pid='' version='' born=''
  answer=$(curl -s -m 0.4 -w ' %{http_code}' "http://127.0.0.1:$1/" | tr -d '\n') || return 1
  code=${answer##* }
  nonce=$(sed -n 's/.*"nonce":"\([0-9a-f]*\)".*/\1/p' <<<"$answer")
  pid=$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p' <<<"$answer")
  version=$(sed -n 's/.*"version":"\([^"]*\)".*/\1/p' <<<"$answer")
  born=$(awk '{ print $22 }' "/proc/$pid/stat" 2>/dev/null)
  [ -n "$nonce" ]
}

# until_true MILLISECONDS COMMAND…: tries it again and again.
until_true() {
  local end=$(($(milliseconds) + $1))
  shift
  until "$@"; do
    [ "$(milliseconds)" -lt "$end" ] || return 1
    sleep 0.05
  done
}

# Who was there before a fault: remember PORT, then the two questions that judge the repair.
declare -A was_nonce was_pid was_born
remember() {
  look "$1" || return 1
  was_nonce[$1]=$nonce was_pid[$1]=$pid was_born[$1]=$born
}
is_well() { look "$1" && [ "$code" = 200 ]; }
# A new process, by its own word (nonce) and by the kernel's (pid and start time), that answers with v1.
is_replaced() {
  is_well "$1" && [ "$version" = v1 ] && [ "$nonce" != "${was_nonce[$1]:-none}" ] &&
    [ "$pid:$born" != "${was_pid[$1]:-}:${was_born[$1]:-}" ]
}
is_untouched() {
  is_well "$1" && [ "$nonce:$pid:$born" = "${was_nonce[$1]:-none}:${was_pid[$1]:-}:${was_born[$1]:-}" ]
}

# Processes of the example, found by the program they run; nothing else is ever listed.
example_pids() {
  local proc
  for proc in /proc/[0-9]*; do
    case $(readlink "$proc/exe" 2>/dev/null) in "$dir"/*) echo "${proc#/proc/}" ;; esac
  done
}
# How many processes serve PORT.
servers_of() {
  local one count=0
  for one in $(example_pids); do
    tr '\0' ' ' <"/proc/$one/cmdline" 2>/dev/null | grep -q -- "--port $1 " && count=$((count + 1))
  done
  echo $count
}
# A SIGTERM that a stopped process cannot take yet: somebody is stopping it right now.
sigterm_waits() {
  local pending
  pending=$(awk '/^(SigPnd|ShdPnd):/ { print "0x" $2 }' "/proc/$1/status" 2>/dev/null) || return 1
  local mask
  for mask in $pending; do [ $((mask & 0x4000)) -eq 0 ] || return 0; done
  return 1
}
