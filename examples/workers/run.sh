#!/bin/bash
# examples/workers/run.sh [PICTURE.svg]
#
# Brings jobs for two and a half minutes, few, then many, then few again, while Homeostat keeps as many workers as they
# need; draws what happened, and judges it from outside: every job done, more workers in the rush, few afterwards, and
# short waits at the end. The exit code says which.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "${HOMEOSTAT_BUILD:-$here/../../build/release}" && pwd)
homeostat=$build/homeostat
shape=${SHAPE:-20:4,50:60,80:6} # seconds : jobs a second

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

base=$((17000 + $$ % 200 * 40))
until port_is_free $base; do base=$((base + 40)); done
dir=$(mktemp -d "${TMPDIR:-/tmp}/homeostat-workers.XXXXXX")
picture=${1:-$dir/autoscaling.svg}
daemon='' jobs=''
cleanup() {
  [ -z "$daemon" ] || { kill "$daemon"; wait "$daemon"; }
  [ -z "$jobs" ] || kill "$jobs"
  [ "${keep:-}" = 1 ] || rm -rf "$dir"
} 2>/dev/null
trap cleanup EXIT
trap 'exit 130' INT TERM

sed -e "s|/srv/workers|$build|" -e "s/17400/$base/" -e "s/17401-17420/$((base + 1))-$((base + 20))/" \
  "$here/homeostat.yaml" >"$dir/homeostat.yaml"
"$build/scaling_jobs" --port $base --rows "$dir/rows.csv" --shape "$shape" >"$dir/jobs.log" &
jobs=$!
"$homeostat" run --config "$dir/homeostat.yaml" --state-dir "$dir/state" --socket "$dir/socket" \
  >"$dir/homeostat.log" 2>&1 &
daemon=$!

echo "jobs come in: $shape (seconds:rate)"
while kill -0 $jobs 2>/dev/null; do
  sleep 5
  tail -n 1 "$dir/rows.csv" |
    awk -F, '{ printf "%4d s %4d came %4d done %5d wait %3d workers, p95 %5d ms\n", $1, $3, $4, $5, $6, $8 }'
done
wait $jobs
all_done=$?
jobs=''
"$homeostat" history --state-dir "$dir/state" --socket "$dir/socket" --all | grep " instances"
"$build/scaling_picture" --rows "$dir/rows.csv" >"$picture" && echo "picture: $picture"
cat "$dir/jobs.log"
awk -F, -v all_done=$all_done '
  NR > 1 {
    peak = $6 > peak ? $6 : peak
    queue = $5 > queue ? $5 : queue
    last[NR] = $8
    workers = $6
    rows = NR
  }
  END {
    for (i = rows - 19; i <= rows; i++) late = last[i] > late ? last[i] : late
    printf "peak %d workers and %d jobs waiting; ", peak, queue
    printf "at the end %d workers, p95 at most %d ms in the last 20 s\n", workers, late
    exit !(all_done == 0 && peak >= 6 && workers <= 3 && late <= 1000)
  }' "$dir/rows.csv"
verdict=$?
[ $verdict -eq 0 ] || keep=1
[ $verdict -eq 0 ] && echo "as it should be" || echo "NOT as it should be: its log and rows are in $dir"
exit $verdict
