#!/bin/busybox sh
# shellcheck shell=dash
# The first process of the virtual machine, in the initrd: mounts the machine's file system and goes on there with
# main.sh. run.sh puts both into the initrd, with what they are to do.

fail() {
  echo "vm: $*"
  poweroff -f
}
/bin/busybox --install -s /bin
export PATH=/bin

while read -r module; do
  insmod "/modules/$module" || fail "could not load $module"
done </order

# Read-only, and what is written goes to memory: the command may change whatever it wants and the machine keeps nothing.
# The machine may write to its files meanwhile; the virtual one lives too short a time to need to know (cache=loose).
p9=trans=virtio,version=9p2000.L,msize=262144
mkdir /machine /memory /system
mount -t 9p -o "$p9,cache=loose,ro" machine /machine || fail "could not mount the machine's file system"
mount -t tmpfs memory /memory || fail "could not mount a tmpfs"
mkdir /memory/upper /memory/work
mount -t overlay -o lowerdir=/machine,upperdir=/memory/upper,workdir=/memory/work overlay /system ||
  fail "could not mount the overlay"

mkdir -p /system/proc /system/sys /system/dev /system/run /system/tmp /system/lib/modules
mount -t 9p -o "$p9,cache=loose,ro" modules /system/lib/modules || fail "could not mount the modules"
if [ -e /vm/share ]; then
  mkdir -p /system/share
  mount -t 9p -o "$p9" share /system/share || fail "could not mount the shared directory"
fi
mount -t tmpfs -o mode=755 run /system/run || fail "could not mount a tmpfs"
mv /vm /system/run/vm
mkdir /system/run/vm/bin
cp /bin/busybox /system/run/vm/bin/
# Not chroot: a process in a chroot may not make user namespaces, and the kernel looks for modprobe in the first root.
exec switch_root /system /run/vm/bin/busybox sh /run/vm/main.sh
