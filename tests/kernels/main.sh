#!/bin/busybox sh
# shellcheck shell=dash
# The first process of the virtual machine from the moment on when it has the machine's file system: mounts what a
# Linux system has, runs the command, reports its exit status and switches off.

fail() {
  echo "vm: $*"
  /run/vm/bin/busybox poweroff -f
}
# The first process must not end: that is a kernel panic.
trap 'fail "the first process ended"' EXIT
# The machine's own tools may miss some of these.
busybox=/run/vm/bin/busybox
for where in "proc /proc" "sysfs /sys" "devtmpfs /dev"; do
  # shellcheck disable=SC2086 # two words
  $busybox mount -t ${where% *} $where || fail "could not mount ${where#* }"
done
$busybox --install -s /run/vm/bin
export PATH=/run/vm/bin
mkdir -p /dev/pts /dev/shm
# The rest is wanted, but a kernel without one of them is still good for something.
while read -r type where options; do
  mount -t "$type" -o "rw$options" "$type" "$where" || echo "vm: could not mount $where"
done <<'MOUNTS'
devpts /dev/pts ,gid=5,mode=620,ptmxmode=666
tmpfs /dev/shm ,mode=1777
bpf /sys/fs/bpf ,mode=700
debugfs /sys/kernel/debug
tracefs /sys/kernel/tracing
securityfs /sys/kernel/security
cgroup2 /sys/fs/cgroup
MOUNTS
ln -sf /proc/self/fd /dev/fd
ln -sf /proc/self/fd/0 /dev/stdin
ln -sf /proc/self/fd/1 /dev/stdout
ln -sf /proc/self/fd/2 /dev/stderr
chmod 1777 /tmp
ip link set lo up || echo "vm: could not bring lo up"
# What the machine is called must have nothing to do with what the tests do.
hostname vm

read -r up _ </proc/uptime
echo "vm: $(uname -r) runs the command after $up s"
exec 3>/dev/ttyS1
stty -F /dev/ttyS1 raw -echo
env -i /bin/bash /run/vm/command </dev/null >&3 2>&3 3>&-
status=$?
read -r up _ </proc/uptime
echo "vm: the command ended with status $status after $up s"
# Waits until all output is out, also that of processes which the command left behind.
stty -F /dev/ttyS1 raw -echo
echo "$status" >/dev/ttyS2
sync
trap - EXIT
poweroff -f
