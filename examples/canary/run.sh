#!/bin/bash
# examples/canary/run.sh [good] [slow] [faulty]
#
# A shop with three instances behind HAProxy, and customers who never stop. A good release is rolled out, one that is a
# fifth slower, and one that fails now and then; each is led by exact shares of the requests and judged by what HAProxy
# counts and the instances tell. Judged in turn from outside, by what the customers got: the good one has to serve all
# of them in the end, the others nobody, and none may have asked in vain but for the faulty release's own errors. The
# exit code says which.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "${HOMEOSTAT_BUILD:-$here/../../build/release}" && pwd)
[ $# -gt 0 ] || set -- good slow faulty

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

base=$((17600 + $$ % 200 * 10))
until port_is_free $base && port_is_free $((base + 1)); do base=$((base + 10)); done
dir=$(mktemp -d "${TMPDIR:-/tmp}/homeostat-canary.XXXXXX")
daemon='' haproxy='' customers=''
cleanup() {
  for pid in $customers $daemon $haproxy; do kill "$pid" && wait "$pid"; done
  [ "${keep:-}" = 1 ] || rm -rf "$dir"
} 2>/dev/null
trap cleanup EXIT
trap 'exit 130' INT TERM

release() { # NAME MILLISECONDS ERRORS_PERCENT
  mkdir -p "$dir/releases/$1" && echo "$2 $3" >"$dir/releases/$1/behaviour"
}
release v1 20 0
release good 20 0
release slow 24 0
release faulty 20 5

adapt() { # the files of this folder, for this folder and these ports
  sed -e "s|/srv/shop/canary_shop|$build/canary_shop|" -e "s|/srv/shop|$dir|" \
    -e "s/17601-17604/$((base + 1))-$((base + 4))/" \
    -e "s/17600/$base/; s/17601/$((base + 1))/g; s/17602/$((base + 2))/g" \
    -e "s/17603/$((base + 3))/g; s/17604/$((base + 4))/g" "$here/$1" >"$dir/$1"
}
adapt homeostat.yaml
adapt haproxy.cfg
ask() { "$build/homeostat" "$@" --state-dir "$dir/state" --socket "$dir/socket"; }

"$build/homeostat" run --config "$dir/homeostat.yaml" --state-dir "$dir/state" --socket "$dir/socket" \
  >"$dir/homeostat.log" 2>&1 &
daemon=$!
haproxy -db -f "$dir/haproxy.cfg" >"$dir/haproxy.log" 2>&1 &
haproxy=$!
for _ in $(seq 100); do
  ask status 2>/dev/null | grep -q "healthy" && ! port_is_free $base && break
  sleep 0.1
done
"$build/canary_customers" --port $base --customers 24 --seconds 600 >"$dir/customers.csv" &
customers=$!

failed=0
say() { printf '%s\n' "$*"; }
wrong() { say "NOT as it should be: $*" && failed=1; }
served() { # which versions, in the last two whole seconds, all after the end
  sleep 3.5
  tail -n 2 "$dir/customers.csv" | tr ',' '\n' | sed -n 's/=.*//p' | sort -u | tr '\n' ' '
}
in_vain() { awk -F'in vain=' 'NF > 1 { split($2, n, ","); sum += n[1] } END { print sum + 0 }' "$dir/customers.csv"; }

now=v1
for release in "$@"; do
  before=$(in_vain)
  began=$SECONDS
  say "--- $release is rolled out"
  ask deploy shop "$release"
  code=$?
  ask rollout status shop | sed -n 1p
  seen=$(served)
  vain=$(($(in_vain) - before))
  say "after $((SECONDS - began)) s: customers are served by $seen; $vain asked in vain"
  if [ "$release" = good ]; then
    now=good
    [ $code -eq 0 ] || wrong "the good release was not promoted"
  else
    [ $code -eq 1 ] || wrong "$release was not rolled back"
  fi
  [ "$seen" = "$now " ] || wrong "$now should serve everybody"
  [ "$release" = faulty ] || [ "$vain" -eq 0 ] || wrong "$vain customers asked in vain"
done
[ $failed -eq 0 ] && say "as it should be" || { keep=1 && say "its logs are in $dir"; }
exit $failed
