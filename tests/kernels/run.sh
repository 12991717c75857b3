#!/usr/bin/env bash
usage() {
  cat <<'USAGE'
usage: tests/kernels/run.sh [OPTION]... NAME COMMAND [ARGUMENT]...
       tests/kernels/run.sh --list

Runs COMMAND in a virtual machine with kernel NAME: with this machine's files, which it may change but this machine
keeps nothing of that, in the current directory, with the current environment, as root, without input. Its output is
printed on standard output and its exit status is the exit status, except for
  124  the command was not done in time
  125  the virtual machine failed; the end of its console is printed

  --share DIR     a directory that the virtual machine can really write to, there called /share
  --timeout S     seconds after which it is stopped, with the time to start (default 600)
  --memory MB     (default 2048)
  --cpus N        (default 2)
  --console FILE  where to write the console, with the kernel's messages
  --list          print the names of the kernels
USAGE
}
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/kernels/kernels.sh
. "$here/kernels.sh"

say() { printf 'run.sh: %s\n' "$*" >&2; }
# Nothing ran, so no other status would be true.
die() { say "$*"; exit 125; }

share='' timeout=600 memory=2048 cpus=2 console=''
while [ $# -gt 0 ]; do
  case $1 in
  --list) kernel_names; exit ;;
  --help | -h) usage; exit ;;
  --share | --timeout | --memory | --cpus | --console)
    [ $# -ge 2 ] || die "$1 needs a value"
    declare "${1#--}=$2"
    shift 2
    ;;
  -*) die "there is no option $1; --help lists them" ;;
  *) break ;;
  esac
done
[ $# -ge 2 ] || { usage >&2; exit 125; }
name=$1
shift
kernel_release "$name" >/dev/null || die "there is no kernel $name; there are: $(kernel_names | paste -sd ' ')"
for option in timeout memory cpus; do
  [[ ${!option} =~ ^[1-9][0-9]*$ ]] || die "--$option is '${!option}'; it must be a whole number above 0"
done
if [ -n "$share" ]; then
  [ -d "$share" ] || die "--share: there is no directory $share"
  share=$(realpath "$share")
fi

"$here/setup.sh" || exit 125
kernel=$KERNELS_DIR/$name
"$here/fetch.sh" "$name" "$kernel" || exit 125

# Whatever ends this script ends the virtual machine. Even SIGKILL, which it cannot notice: see --pdeathsig below.
tmp=$(mktemp -d)
vm='' printer=''
# shellcheck disable=SC2317 # the trap calls it
cleanup() {
  if [ -n "$vm" ]; then
    kill "$vm" 2>/dev/null || true
    wait "$vm" 2>/dev/null || true
  fi
  if [ -n "$printer" ]; then kill "$printer" 2>/dev/null || true; fi
  rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
console=$(realpath -m "${console:-$tmp/console}")
: >"$console" || die "--console: $console cannot be written"

# What this run adds to the initrd. The kernel unpacks one archive after the other.
mkdir -p "$tmp/initrd/vm"
cp "$here/init.sh" "$tmp/initrd/init"
chmod +x "$tmp/initrd/init"
cp "$here/main.sh" "$tmp/initrd/vm/"
{
  export -p
  printf 'export WASM_BPF_KERNEL=%q\n' "$name"
  printf 'cd %q || exit 125\n' "$PWD"
  printf 'exec'
  printf ' %q' "$@"
  echo
} >"$tmp/initrd/vm/command"
if [ -n "$share" ]; then : >"$tmp/initrd/vm/share"; fi
{
  cat "$kernel/initrd"
  (cd "$tmp/initrd" && find . | cpio -o -H newc -R 0:0 --quiet | gzip -1)
} >"$tmp/initrd.gz"

# In QEMU's options a comma in a path is written twice.
files=()
add_files() { # TAG DIRECTORY [OPTIONS]
  files+=(-fsdev "local,id=$1,path=${2//,/,,},security_model=none,multidevs=remap${3:-}" -device "virtio-9p-pci,fsdev=$1,mount_tag=$1")
}
add_files machine / ,readonly=on
add_files modules "$kernel/lib/modules" ,readonly=on
if [ -n "$share" ]; then add_files share "$share"; fi

image=$kernel/vmlinuz
if [ -e "$kernel/vmlinux" ]; then image=$kernel/vmlinux; fi
# shellcheck disable=SC2054 # the commas are part of one argument
arguments=(console=ttyS0 loglevel=4
  # With -no-reboot below the virtual machine ends at once when the kernel is broken, and says so.
  panic=-1 oops=panic
  # Not all of these kernels have bpf in the list by themselves.
  lsm=lockdown,capability,yama,apparmor,bpf
  # Emulated, all of these only cost time.
  mitigations=off nopti no5lvl random.trust_cpu=on)

# QEMU makes its standard output non-blocking. A pipe of its own keeps that away from whoever else writes to ours.
mkfifo "$tmp/output"
cat "$tmp/output" &
printer=$!
# /dev/kvm is not used even where it is: nested, it may start no kernel. Emulation in several threads is not used
# either: it crashes now and then.
setpriv --pdeathsig TERM timeout --kill-after 5 "$timeout" qemu-system-x86_64 \
  -machine pc -accel tcg,thread=single -cpu max -smp "$cpus" -m "$memory" \
  -nodefaults -no-user-config -display none -monitor none -no-reboot \
  -chardev "file,id=console,path=${console//,/,,}" -serial chardev:console \
  -chardev stdio,id=output,signal=off -serial chardev:output \
  -chardev "file,id=status,path=${tmp//,/,,}/status" -serial chardev:status \
  "${files[@]}" -kernel "$image" -initrd "$tmp/initrd.gz" -append "${arguments[*]}" \
  </dev/null >"$tmp/output" 2>"$tmp/errors" &
vm=$!
ended=0
wait "$vm" || ended=$?
vm=
wait "$printer" || true
printer=

status=$(tr -dc 0-9 2>/dev/null <"$tmp/status" || true)
if [ -n "$status" ]; then exit "$status"; fi
{
  case $ended in
  124 | 137) say "kernel $name: the command was not done after $timeout s" ;;
  0) say "kernel $name: the virtual machine ended without an exit status of the command" ;;
  *) say "kernel $name: QEMU ended with status $ended" ;;
  esac
  cat "$tmp/errors"
  echo "--- end of the console"
  # A panic after an oops is two call traces, and the line that says why is above them.
  tail -n 150 "$console"
  echo "---"
} >&2
if [ "$ended" = 124 ] || [ "$ended" = 137 ]; then exit 124; fi
exit 125
