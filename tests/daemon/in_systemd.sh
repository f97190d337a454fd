# shellcheck shell=bash
# in_systemd.sh DIR CGROUP: a real systemd as the first process of namespaces of its own, over a throw-away overlay of
# this machine's root. DIR is seen inside under its own name: DIR/units are its units, DIR/bus/system_bus_socket its
# system bus. Lives until it is killed. Status 77: such namespaces cannot be made here.
set -u
dir=$1 cgroup=$2
cannot() { echo "$*" >&2; exit 77; }

root=$dir/root
mkdir -p "$dir/bus" "$dir/layers" "$root"
chmod 755 "$dir" "$dir/bus"
echo $$ >"$cgroup/cgroup.procs" || cannot "no cgroup"
mount -t tmpfs tmpfs "$dir/layers" || cannot "no tmpfs"
mkdir "$dir/layers/upper" "$dir/layers/work"
mount -t overlay -o "lowerdir=/,upperdir=$dir/layers/upper,workdir=$dir/layers/work" overlay "$root" ||
  cannot "no overlay"

mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm" "$root/dev/pts"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir -p "$root/run/dbus" "$root/run/lock"
mount --bind "$dir/bus" "$root/run/dbus"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/var/log"
mkdir -p "$root$dir"
mount --bind "$dir" "$root$dir"

units=$root/etc/systemd/system
rm -rf "${units:?}"/*
for unit in systemd-{tmpfiles-setup,tmpfiles-setup-dev,tmpfiles-clean,udevd,udev-trigger,logind,sysctl}.service \
  systemd-{random-seed,update-utmp,sysusers,modules-load,firstboot,machine-id-commit,binfmt}.service \
  systemd-{remount-fs,pstore,journald}.service systemd-udevd-{control,kernel}.socket \
  systemd-journald{,-dev-log,-audit}.socket {dev-hugepages,dev-mqueue}.mount sys-kernel-{debug,tracing,config}.mount \
  sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount local-fs.target swap.target; do
  ln -s /dev/null "$units/$unit"
done
: >"$root/etc/fstab"
cp "$dir"/units/* "$units/"
cat >"$units/lab.target" <<'TEXT'
[Unit]
Requires=dbus.socket dbus.service
After=dbus.service
AllowIsolate=yes
TEXT

inside='mount -t proc proc "$1/proc" && mount -t sysfs -o ro sysfs "$1/sys" &&
  mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup" || exit 77
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$1" /lib/systemd/systemd --system \
  --unit=lab.target --log-target=console --show-status=no --default-standard-output=null'
exec unshare --pid --fork --cgroup --uts --ipc --kill-child=KILL bash -c "$inside" inside "$root"
