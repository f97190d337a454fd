# shellcheck shell=bash
# in_containers.sh DIR podman|docker: a podman or a dockerd of its own, whose API is DIR/api.sock, with the images
# localhost/lab:1 and :2 made of busybox, and :empty, in which there is nothing to start. Ends with all its containers
# when it gets SIGTERM. Status 77: cannot be had.
set -u
dir=$1 kind=$2
cannot() { echo "$*" >&2; exit 77; }

busybox=$(command -v busybox) || cannot "no busybox"
command -v "${kind/docker/dockerd}" >/dev/null || cannot "no $kind"
# crun and runc do not like both hierarchies of cgroups at once.
mount --make-rprivate / || cannot "no namespace"
mountpoint -q /sys/fs/cgroup/unified && { umount /sys/fs/cgroup/unified || cannot "cannot unmount"; }

image=$dir/image
mkdir -p "$image/bin" "$image/tmp" "$dir/empty/tmp" "$dir/effects"
cp "$busybox" "$image/bin/busybox"
for name in sh sleep cat echo mkdir chmod httpd nc grep rm; do ln -s busybox "$image/bin/$name"; done
contents() { if [ "$1" = empty ]; then tar -C "$dir/empty" -c .; else tar -C "$image" -c .; fi; }

case $kind in
podman)
  cat >"$dir/containers.conf" <<'TEXT'
[containers]
netns = "host"
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"
TEXT
  export CONTAINERS_CONF=$dir/containers.conf
  engine=(podman --root "$dir/store" --runroot "$dir/run" --storage-driver vfs --tmpdir "$dir/tmp")
  for version in 1 2 empty; do
    contents "$version" | "${engine[@]}" import -c "ENV VERSION=$version" - "localhost/lab:$version" ||
      cannot "no image"
  done
  serve=("${engine[@]}" system service --time 0 "unix://$dir/api.sock")
  ;;
docker)
  serve=(dockerd -H "unix://$dir/api.sock" --data-root "$dir/store" --exec-root "$dir/run" --pidfile "$dir/docker.pid"
    --storage-driver vfs --bridge none --iptables=false --ip6tables=false --ip-masq=false
    --exec-opt native.cgroupdriver=cgroupfs --oom-score-adjust 0)
  ;;
esac

"${serve[@]}" &
server=$!
ask() { curl -s -m 60 --unix-socket "$dir/api.sock" "$@"; }
over() {
  trap - TERM
  kill -CONT "$server"
  for id in $(ask "http://lab/containers/json?all=1" | grep -o '"Id":"[0-9a-f]*"' | cut -d'"' -f4); do
    ask -X DELETE "http://lab/containers/$id?force=1" >/dev/null
  done
  kill "$server"
  wait "$server"
  for cgroup in /sys/fs/cgroup/*/libpod_parent /sys/fs/cgroup/*/docker; do
    find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
  done
  exit 0
}
trap over TERM
until [ "$(ask http://lab/_ping)" = OK ]; do
  kill -0 "$server" 2>/dev/null || cannot "it does not start"
  read -r -t 0.05 <> <(:)
done
if [ "$kind" = docker ]; then
  for version in 1 2 empty; do
    image_of="fromSrc=-&repo=localhost/lab&tag=$version&changes=ENV%20VERSION=$version"
    contents "$version" | ask -X POST -T - "http://lab/images/create?$image_of" >/dev/null
  done
fi
echo "$server" >"$dir/server.pid"
wait "$server"
