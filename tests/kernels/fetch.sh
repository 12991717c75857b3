#!/usr/bin/env bash
# Usage: tests/kernels/fetch.sh NAME [DIR]
#
# Makes, out of Debian's packages, what a virtual machine with kernel NAME needs; does nothing when it is there:
#   DIR/vmlinuz   the kernel
#   DIR/vmlinux   the same, decompressed, which starts faster; not for every compression
#   DIR/config    how it was configured (CONFIG_...)
#   DIR/lib       its modules
#   DIR/initrd    what mounts the machine's file system; run.sh adds the script that does it
#   DIR/version   what `uname -r` prints there
# Nothing is installed on the system and root is not needed. README.md has the names, sizes and times.
set -euo pipefail

# Raise it when the contents of DIR change, so that those which an earlier version of this script made are made again.
LAYOUT=1

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/kernels/kernels.sh
. "$here/kernels.sh"

name=${1:-}
say() { printf 'kernel %s: %s\n' "$name" "$*" >&2; }
die() { say "$*"; exit 1; }

release=$(kernel_release "$name") || die "no such name; there are: $(kernel_names | paste -sd ' ')"
dir=$(realpath -m "${2:-$KERNELS_DIR/$name}")

# The directory gets its name in the last step, so one that exists is complete.
complete() { [ "$(cat "$dir/layout" 2>/dev/null)" = "$LAYOUT" ]; }

if complete; then exit 0; fi
"$here/setup.sh"
mkdir -p "$(dirname "$dir")"
exec 9>"$dir.lock"
if ! flock -n 9; then
  say "another run is making it; waiting for that one"
  flock 9
  if complete; then exit 0; fi
fi
say "making it in $dir (once; 10 to 60 s)"

# Killed runs leave this behind.
new=$dir.partial
rm -rf "$new"
trap 'rm -rf "$new"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
apt=$new/apt
mkdir -p "$apt"/{lists/partial,cache/archives/partial} "$new"/{debs,lib/modules}

# ---- Packages ------------------------------------------------------------------------------------------------------

# shellcheck disable=SC2016 # apt-get expands these
mirror=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' | sed -n 's/^Debian|Debian|//p' | sort -u | sed -n 1p)
[ -n "$mirror" ] || die "kernels come from a Debian mirror, and there is none among this system's package sources"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || die "$keyring is missing: apt-get install debian-archive-keyring"
echo "deb [arch=amd64 signed-by=$keyring] $mirror $release main" >"$apt/sources.list"

# apt with a state of its own: only this release, no root, and the machine's lists and locks stay as they are. It checks
# the signature of the lists, and the packages against the lists.
: >"$apt/status"
APT=(-q
  -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::Etc::preferences=- -o Dir::Etc::preferencesparts=-
  -o "Dir::State=$apt" -o "Dir::State::lists=$apt/lists" -o "Dir::State::status=$apt/status"
  -o "Dir::Cache=$apt/cache" -o "Dir::Cache::archives=$apt/cache/archives"
  -o "Dir::Cache::pkgcache=$apt/cache/pkg.bin" -o "Dir::Cache::srcpkgcache=$apt/cache/src.bin"
  -o Debug::NoLocking=true -o APT::Sandbox::User=root -o APT::Architecture=amd64 -o APT::Update::Error-Mode=any
  -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Retries=3)
quiet() { "$@" </dev/null >"$apt/log" 2>&1 || { cat "$apt/log" >&2; return 1; }; }

quiet apt-get "${APT[@]}" update || die "the package lists of Debian $release could not be read from $mirror"

# The package that is always called the same depends on the kernel of the day.
version=$(apt-cache "${APT[@]}" show --no-all-versions linux-image-amd64 2>/dev/null |
  sed -n 's/^Depends:.*linux-image-\([^ ,|]*-amd64\).*/\1/p')
[ -n "$version" ] || die "Debian $release has no package linux-image-amd64 that names a kernel"
packages=("linux-image-$version")
# From 7.0 on that one is empty, and its parts are packages of their own.
if apt-cache "${APT[@]}" show "linux-binary-$version" >"$apt/log" 2>&1; then
  packages=("linux-binary-$version" "linux-modules-$version" "linux-base-$version")
fi
(cd "$new/debs" && quiet apt-get "${APT[@]}" download "${packages[@]}") || die "the download of ${packages[*]} failed"
for deb in "$new"/debs/*.deb; do dpkg-deb -x "$deb" "$new/files"; done

# ---- Files ---------------------------------------------------------------------------------------------------------

# Older packages have no merged /usr, newer ones do.
for modules in "$new"/files/{lib,usr/lib}/modules/"$version"; do
  if [ -d "$modules" ]; then cp -a "$modules" "$new/lib/modules/"; fi
done
modules=$new/lib/modules/$version
mv "$new/files/boot/vmlinuz-$version" "$new/vmlinuz" 2>/dev/null || mv "$modules/vmlinuz" "$new/vmlinuz" 2>/dev/null ||
  die "the packages of $version are laid out differently from what this script knows: no vmlinuz"
mv "$new/files/boot/config-$version" "$new/config" 2>/dev/null || mv "$modules/config" "$new/config" 2>/dev/null ||
  die "the packages of $version are laid out differently from what this script knows: no config"
# Drivers of devices that the virtual machine does not have are most of what there is.
rm -rf "$modules"/kernel/{sound,drivers/{gpu,infiniband,iio,staging,scsi,mtd,usb,net/{ethernet,wireless},media/{pci,usb,i2c,tuners,platform,dvb-frontends}}}
/sbin/depmod -b "$new" "$version"

# Where it can be decompressed here, the virtual machine spends no emulated seconds on that. The kernel's header says
# where the compressed part is (Documentation/arch/x86/boot.rst): the sectors before it at 0x1f1, then offset and length
# at 0x248. At its end are four bytes that are no part of it: the size of what comes out.
number() { od -An -v -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '; } # FILE OFFSET SIZE
decompress=()
if grep -qx CONFIG_KERNEL_XZ=y "$new/config"; then decompress=(xz -dc); fi
if grep -qx CONFIG_KERNEL_ZSTD=y "$new/config"; then decompress=(zstd -qdc); fi
if [ ${#decompress[@]} -gt 0 ]; then
  start=$((($(number "$new/vmlinuz" $((0x1f1)) 1) + 1) * 512 + $(number "$new/vmlinuz" $((0x248)) 4)))
  length=$(($(number "$new/vmlinuz" $((0x24c)) 4) - 4))
  dd if="$new/vmlinuz" iflag=skip_bytes,count_bytes,fullblock skip="$start" count="$length" bs=1M status=none |
    "${decompress[@]}" >"$new/vmlinux"
fi

# A static busybox and the modules that mount the machine's file system, in the order in which they are loaded.
initrd=$new/initrd.files
mkdir -p "$initrd"/{bin,modules}
cp "$(command -v busybox)" "$initrd/bin/busybox"
for module in virtio_pci 9p 9pnet_virtio overlay; do
  # Prints nothing for what is built in.
  /sbin/modprobe -d "$new" -S "$version" --show-depends "$module"
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' >"$initrd/modules.list"
while read -r module; do
  file=$(basename "$module")
  case $file in
  *.xz) xz -dc "$module" >"$initrd/modules/${file%.xz}" ;;
  *.zst) zstd -qdc "$module" >"$initrd/modules/${file%.zst}" ;;
  *) cp "$module" "$initrd/modules/" ;;
  esac
  echo "${file%%.ko*}.ko"
done <"$initrd/modules.list" >"$initrd/order"
rm "$initrd/modules.list"
(cd "$initrd" && find . | cpio -o -H newc -R 0:0 --quiet | gzip -1) >"$new/initrd"

echo "$version" >"$new/version"
echo "$LAYOUT" >"$new/layout"
rm -rf "$new/files" "$new/debs" "$apt" "$initrd"
rm -rf "$dir"
mv "$new" "$dir"
trap - EXIT
say "Linux $version is ready"
