# shellcheck shell=bash
# Sourced by demo.sh: looks at the service from outside, as its users do. Nothing here asks Homeostat.

milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# birth PID: the start time the kernel gives it. Nothing when it has ended, even if nobody has collected it yet: what
# outlived a killed parent is left to the machine's init, and some never do.
birth() { awk '$3 != "Z" { print $22 }' "/proc/$1/stat" 2>/dev/null; }

# look PORT: sets code, nonce, pid, version, terminating, and the start time the kernel gives that pid. Fails when
# nobody answers.
look() {
  local answer
  code=0 nonce='' pid='' version='' terminating='' born=''
  answer=$(curl -s -m 0.4 -w ' %{http_code}' "http://127.0.0.1:$1/" | tr -d '\n') || return 1
  code=${answer##* }
  nonce=$(sed -n 's/.*"nonce":"\([0-9a-f]*\)".*/\1/p' <<<"$answer")
  pid=$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p' <<<"$answer")
  version=$(sed -n 's/.*"version":"\([^"]*\)".*/\1/p' <<<"$answer")
  case $answer in *'"terminating":true'*) terminating=true ;; esac
  born=$(birth "$pid")
  [ -n "$nonce" ]
}

# until_true MILLISECONDS COMMAND…: tries it again and again; sets ended, the time of the last try.
until_true() {
  local limit=$(($(milliseconds) + $1))
  shift
  until "$@"; do
    ended=$(milliseconds)
    [ "$ended" -lt "$limit" ] || return 1
    sleep 0.05
  done
  ended=$(milliseconds)
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

# The process that was there before the fault still exists.
old_one_stays() { [ -n "${was_pid[$1]:-}" ] && [ "$(birth "${was_pid[$1]}")" = "${was_born[$1]}" ]; }

# Processes of the example, found by the program they run; nothing else is ever listed.
example_pids() { find /proc/[0-9]*/exe -maxdepth 0 -lname "$dir/*" 2>/dev/null | cut -d / -f 3; }
# How many processes serve PORT.
servers_of() {
  local one count=0
  for one in $(example_pids); do
    tr '\0' ' ' <"/proc/$one/cmdline" 2>/dev/null | grep -q -- "--port $1 " && count=$((count + 1))
  done
  echo $count
}
# The one who answers on PORT has been told to end, and has not ended yet.
is_terminating() { look "$1" && [ "$terminating" = true ]; }
