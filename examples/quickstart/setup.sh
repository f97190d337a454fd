# shellcheck shell=bash
# Sourced by run.sh and demo.sh: makes the folder the example runs in.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "${HOMEOSTAT_BUILD:-$here/../../build/release}" && pwd)
homeostat=$build/homeostat

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_base FIRST: the first base from there on whose ports are free: base+1 and base+2 for web, base+11 for fragile.
free_base() {
  local base
  for ((base = $1; base < 32000; base += 20)); do
    if port_is_free $((base + 1)) && port_is_free $((base + 2)) && port_is_free $((base + 11)); then
      echo $base
      return
    fi
  done
  echo "no free ports for the example" >&2
  return 1
}

# make_release SERVICE VERSION
make_release() {
  mkdir -p "$dir/$1/$2"
  cp -f "$build/quickstart_service" "$dir/$1/$2/quickstart_service"
}

# make_folder DIR BASE: releases, notifier and configuration; sets dir, base, config.
make_folder() {
  dir=$1
  base=$(free_base "$2") || return 1
  mkdir -p "$dir"
  make_release web v1
  make_release web v2-broken
  touch "$dir/web/v2-broken/broken"
  make_release fragile v1
  cp "$here/page.sh" "$dir/page.sh"
  config=$dir/homeostat.yaml
  sed -e "s|/srv/quickstart|$dir|" -e "s/18081-18082/$((base + 1))-$((base + 2))/" -e "s/18091/$((base + 11))/" \
    "$here/homeostat.yaml" >"$config"
}

# Any verb of Homeostat's, for the one that runs here.
ctl() {
  local verb=$1
  shift
  "$homeostat" "$verb" --state-dir "$dir/state" --socket "$dir/socket" "$@"
}
