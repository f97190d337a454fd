#!/bin/bash
# Runs the example in the foreground until Ctrl-C.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
make_folder "$(dirname "$build")/quickstart" 18080
cat <<TEXT

Homeostat keeps two instances of a web service alive:  curl http://127.0.0.1:$((base + 1))/  and  :$((base + 2))/
Break them from another terminal, for example:

  kill -9 \$(curl -s http://127.0.0.1:$((base + 1))/ | sed 's/.*"pid":\\([0-9]*\\).*/\\1/')
  curl -X POST 'http://127.0.0.1:$((base + 2))/fault?kind=500'
  $homeostat deploy --socket $dir/socket web v2-broken

and look at what became of it:

  $homeostat status --socket $dir/socket
  $homeostat history --socket $dir/socket

Ctrl-C ends it all.

TEXT
exec "$homeostat" run --config "$config" --state-dir "$dir/state" --socket "$dir/socket"
