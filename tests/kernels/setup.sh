#!/usr/bin/env bash
# Usage: tests/kernels/setup.sh
#
# Makes the machine ready to run virtual machines with other kernels. As root it installs what is missing; otherwise it
# says what to install. When all is there it changes nothing and takes a fraction of a second.
set -euo pipefail

say() { printf 'kernels: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# The programs that run in the virtual machine are this machine's own.
[ "$(uname -sm)" = 'Linux x86_64' ] || die "virtual machines with other kernels need Linux on x86-64; this is $(uname -sm)"
# The kernels are Debian packages.
command -v apt-get >/dev/null || die "virtual machines with other kernels need Debian: there is no apt-get here"

# Of all programs only this one must be static: it runs before there is a file system with libraries.
has_static_busybox() {
  local path
  path=$(command -v busybox) && case $(LC_ALL=C ldd "$path" 2>&1) in *'not a dynamic'* | *'statically linked'*) ;; *) false ;; esac
}

look() { # fills MISSING with packages
  MISSING=()
  command -v qemu-system-x86_64 >/dev/null || MISSING+=(qemu-system-x86)
  [ -e /usr/share/seabios/bios-256k.bin ] || [ -e /usr/share/qemu/bios-256k.bin ] || MISSING+=(seabios)
  has_static_busybox || MISSING+=(busybox-static)
  command -v cpio >/dev/null || MISSING+=(cpio)
  # Not on every user's PATH.
  [ -x /sbin/depmod ] || MISSING+=(kmod)
  command -v xz >/dev/null || MISSING+=(xz-utils)
  command -v zstd >/dev/null || MISSING+=(zstd)
}

look
if [ ${#MISSING[@]} -gt 0 ] && [ "$(id -u)" = 0 ]; then
  say "installing: ${MISSING[*]}"
  apt-get update -qq </dev/null >&2 || say "some package lists could not be read; going on"
  install=(apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "${MISSING[@]}")
  # QEMU's tools of another version, from backports for instance, do not go with the emulator. Nothing else is taken away.
  gone=$(LC_ALL=C "${install[@]}" --simulate </dev/null 2>/dev/null | sed -n 's/^Remv \([^ ]*\).*/\1/p' | paste -sd ' ')
  case $gone in
  '') ;;
  qemu-utils) say "replacing qemu-utils, which is of another version than qemu-system-x86" ;;
  *) die "installing ${MISSING[*]} would remove $gone: install them by hand if that is wanted" ;;
  esac
  DEBIAN_FRONTEND=noninteractive "${install[@]}" </dev/null >&2 || die "apt-get could not install: ${MISSING[*]}"
  look
fi
[ ${#MISSING[@]} = 0 ] || die "these packages are missing: apt-get install ${MISSING[*]}"
