# shellcheck shell=bash
# What quickstart, test and .ci/run share. Sourced by bash; expects `root` to be the top of the tree.

export LC_ALL=C.UTF-8
jobs=$(nproc)
export HOMEOSTAT_STARTED=${HOMEOSTAT_STARTED:-$(date +%s)}

# For people; results go through files.
say() { printf '[%3ds] %s\n' $(($(date +%s) - HOMEOSTAT_STARTED)) "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# missing_packages build|test|bench: the packages of that kind (the others include build) that are not installed yet.
missing_packages() {
  local kinds="build $1" kind package
  while read -r kind package; do
    case " $kinds " in *" $kind "*) ;; *) continue ;; esac
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done < <(grep -v '^#' "$root/scripts/packages.txt")
}

install_packages() {
  local missing as_root=()
  mapfile -t missing < <(missing_packages "$1")
  [ ${#missing[@]} -eq 0 ] && return 0
  command -v apt-get >/dev/null || die "missing: ${missing[*]}; this script knows apt only"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "missing: ${missing[*]}; run this as root once, or install sudo"
    as_root=(sudo)
  fi
  say "installing ${missing[*]}"
  local log
  log=$(mktemp)
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120)
  if ! { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${missing[@]}"; } \
    >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    die "apt-get failed; its whole output is in $log"
  fi
  rm -f "$log"
}

# What tests need and nobody wants to have installed for their sake (a dockerd): unpacked, and found after everything
# else in the PATH. When it cannot be had, the tests that need it are skipped.
unpack_packages() {
  local dir=$root/build/unpacked packages package
  export PATH=$PATH:$dir/usr/sbin:$dir/usr/bin
  [ -e "$dir/complete" ] && return 0
  mapfile -t packages < <(sed -n 's/^unpack //p' "$root/scripts/packages.txt")
  say "unpacking ${packages[*]}"
  rm -rf "$dir"
  mkdir -p "$dir/packages"
  (cd "$dir/packages" && apt-get -q download "${packages[@]}") >"$dir/log" 2>&1 || return 0
  for package in "$dir"/packages/*.deb; do dpkg -x "$package" "$dir" || return 0; done
  rm -r "$dir/packages"
  touch "$dir/complete"
}

# configure PRESET [without-tests]: once; ninja does it again by itself when the build files change.
configure() {
  local dir=$root/build/$1 tests=ON
  [ "${2:-}" = without-tests ] && tests=OFF
  if [ -f "$dir/build.ninja" ]; then
    [ $tests = OFF ] || grep -q '^HOMEOSTAT_TESTS:BOOL=ON' "$dir/CMakeCache.txt" && return 0
  fi
  mkdir -p "$dir"
  (cd "$root" && cmake --preset "$1" -DHOMEOSTAT_TESTS=$tests) >"$dir/configure.log" 2>&1 || {
    cat "$dir/configure.log" >&2
    die "cmake --preset $1 failed"
  }
}

# build PRESET TARGETS…: says every now and then how far it is; what fails is shown whole.
build() {
  local preset=$1
  shift
  NINJA_STATUS='[%f/%t] ' ninja -C "$root/build/$preset" -j "$jobs" "$@" | progress
}
progress() {
  local line last=$SECONDS
  while IFS= read -r line; do
    case $line in
      'ninja: Entering'* | 'ninja: no work'* | '[0/'*) ;;
      '['[0-9]*/[0-9]*'] '[A-Z]*ing\ *)
        [ $((SECONDS - last)) -ge 15 ] || continue
        last=$SECONDS
        say "  ${line%% *}"
        ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
}

# Results: one file a test program or check in build/results/LANE, one line a test: pass|fail|skip TAB program TAB test
# TAB reason.
results=$root/build/results

# record LANE PROGRAM VERDICT TEST [REASON]
record() {
  mkdir -p "$results/$1"
  printf '%s\t%s\t%s\t%s\n' "$3" "$2" "$4" "${5:-}" >>"$results/$1/$2.tsv"
}

# run_check LANE NAME COMMAND…: a check that counts as one test.
run_check() {
  local lane=$1 name=$2 begun=$EPOCHREALTIME
  shift 2
  mkdir -p "$results/$lane"
  rm -f "$results/$lane/$name.tsv"
  if "$@" >"$results/$lane/$name.log" 2>&1 </dev/null; then
    record "$lane" "$name" pass "$name"
    say "ok      $lane $name ($(since "$begun") s)"
  else
    record "$lane" "$name" fail "$name" "see build/results/$lane/$name.log"
    say "FAILED  $lane $name ($(since "$begun") s)"
    tail -n 40 "$results/$lane/$name.log"
  fi
}

since() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'; }

# run_programs LANE PRESET PROGRAMS…: as many at a time as there are cores; those that mostly wait run beside them.
run_programs() {
  local lane=$1 preset=$2 run=$root/scripts/run_test_program.sh
  shift 2
  printf '%s\n' "$@" | grep '_wait_test$' | xargs -r -P 8 -I{} "$run" "$lane" "$root/build/$preset/{}" &
  printf '%s\n' "$@" | grep -v '_wait_test$' | xargs -r -P "$jobs" -I{} "$run" "$lane" "$root/build/$preset/{}"
  wait $!
}

# test_programs PRESET: every test program the build knows (not what an older build left behind).
test_programs() {
  ninja -C "$root/build/$1" -t targets all | sed -n 's/^\([a-z0-9_]*_test\): CXX_EXECUTABLE_LINKER.*/\1/p'
}

# summary LANES…: lists what failed or was skipped and ends with the totals; fails when a test failed or none ran.
summary() {
  local lane files=()
  for lane in "$@"; do files+=("$results/$lane"/*.tsv); done
  awk -F '\t' '
    FILENAME == ARGV[1] {
      if ($0 !~ /^(#|$)/) { split($0, part, " "); allowed[part[1]] = substr($0, length(part[1]) + 2) }
      next
    }
    $1 == "skip" && !($3 in allowed && index($4, allowed[$3])) {
      $1 = "fail"; $4 = "skipped, but not in tests/allowed_skips.txt: " $4
    }
    { count[$1]++ }
    $1 != "pass" { printf "%s: %s %s (%s)\n", $1, $2, $3, $4 }
    END {
      printf "%d passed, %d failed, %d skipped\n", count["pass"], count["fail"], count["skip"]
      exit !(count["fail"] == 0 && count["pass"] > 0)
    }' "$root/tests/allowed_skips.txt" "${files[@]}"
}
