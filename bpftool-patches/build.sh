#!/usr/bin/env bash
# Usage: bpftool-patches/build.sh FILE [KERNEL]
#
# Builds a bpftool that has the patches of this directory, and copies it to FILE. Only what works on files (gen, btf) is in
# it: the "bootstrap" bpftool of the kernel's own build. What was built is kept in the user's cache directory.
#
# The source is
#   BPFTOOL_SRC=DIRECTORY  a tree of the kernel, or a clone of bpftool's own repository with its submodule; it is copied, not changed
#   otherwise              the distribution's package of the source of KERNEL: 6.12 (bpftool 7.5) or 6.1 (bpftool 7.1). Which of them
#                          does not matter when none is given: it is 6.12 if the package is to be had.
set -euo pipefail

say() { printf 'bpftool: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

OUT=$(realpath -m "${1:?the file to make}")
KERNEL=${2:-}
SRC=
[ -z "${BPFTOOL_SRC:-}" ] || SRC=$(realpath -m "$BPFTOOL_SRC")
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/wasm-bpf
cd "$(dirname "$0")/.."

# What of a kernel's tree takes part in the build.
PARTS=(Makefile kernel/bpf/disasm.c kernel/bpf/disasm.h scripts/bpf_doc.py tools/arch tools/bpf/bpftool tools/build tools/include
  tools/lib/bpf tools/lib/str_error_r.c tools/lib/string.c tools/scripts)

# The Debian that has the package, for systems of another one.
suite() {
  case $1 in
  6.12) echo trixie ;;
  6.1) echo bookworm ;;
  *) die "the kernel is '$1'; it can be 6.12 or 6.1. BPFTOOL_SRC=DIRECTORY builds any other source" ;;
  esac
}

if [ -n "$SRC" ]; then
  [ -z "$KERNEL" ] || die "BPFTOOL_SRC is set, and so is a kernel ($KERNEL)"
  if [ -e "$SRC/tools/bpf/bpftool/gen.c" ]; then
    DIR=tools/bpf/bpftool
    copied=("${PARTS[@]}")
  elif [ -e "$SRC/src/gen.c" ]; then
    DIR=src
    copied=(src include libbpf bash-completion docs)
    [ -e "$SRC/libbpf/src/libbpf.c" ] || die "$SRC has no libbpf in it: git submodule update --init"
  else
    die "BPFTOOL_SRC is '$BPFTOOL_SRC', which has neither tools/bpf/bpftool/gen.c nor src/gen.c"
  fi
  identity=$(cd "$SRC" &&
    { find "${copied[@]}" -type f \( -name '*.[chS]' -o -name 'Makefile*' -o -name 'Build*' \) 2>/dev/null || true; } |
    LC_ALL=C sort | xargs -d '\n' sha256sum)
else
  DIR=tools/bpf/bpftool
  [ -z "$KERNEL" ] || suite "$KERNEL" >/dev/null
  identity="kernel ${KERNEL:-any}"
fi

key=$({ printf '%s\n' "$identity"; uname -m; cat bpftool-patches/build.sh bpftool-patches/*.patch; } | sha256sum | cut -c1-16)
BUILT=$CACHE/bpftool-$key

deliver() {
  mkdir -p "$(dirname "$OUT")"
  cmp -s "$BUILT/bpftool" "$OUT" || { cp "$BUILT/bpftool" "$OUT.new.$$" && mv "$OUT.new.$$" "$OUT"; }
  touch "$BUILT"
}
# Whole, and it still starts: a library that it is linked with may have gone.
whole() { "$BUILT/bpftool" version >/dev/null 2>&1; }

if whole; then
  deliver
  exit 0
fi
mkdir -p "$CACHE"
exec 9>"$CACHE/bpftool.lock"
if ! flock -n 9; then
  say "another run is building one; waiting for it"
  flock 9
  if whole; then
    deliver
    exit 0
  fi
fi

# ---- What is needed ------------------------------------------------------------------------------------------------

has_header() { echo "#include <$1>" | cc -E -x c - >/dev/null 2>&1; }
look() {
  DEBIAN=() FEDORA=()
  command -v cc >/dev/null || { DEBIAN+=(gcc libc6-dev) FEDORA+=(gcc glibc-devel); }
  command -v make >/dev/null || { DEBIAN+=(make) FEDORA+=(make); }
  command -v patch >/dev/null || { DEBIAN+=(patch) FEDORA+=(patch); }
  command -v xz >/dev/null || { DEBIAN+=(xz-utils) FEDORA+=(xz); }
  has_header libelf.h || { DEBIAN+=(libelf-dev) FEDORA+=(elfutils-libelf-devel); }
  has_header zlib.h || { DEBIAN+=(zlib1g-dev) FEDORA+=(zlib-devel); }
}
look
if [ ${#DEBIAN[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  say "installing: ${DEBIAN[*]}"
  apt-get update -qq </dev/null >&2 || say "some package lists could not be read; going on"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "${DEBIAN[@]}" </dev/null >&2 || die "apt-get could not install: ${DEBIAN[*]}"
  look
fi
if [ ${#DEBIAN[@]} -gt 0 ]; then
  say "these packages are missing; install them and run this again:"
  say "  Debian, Ubuntu:  apt-get install ${DEBIAN[*]}"
  say "  Fedora:          dnf install ${FEDORA[*]}"
  exit 1
fi

# Everything happens beside the final place; only what is finished gets its name.
NEW=$BUILT.partial
WORK=$NEW/work
rm -rf "$NEW"
trap 'rm -rf "$NEW"' EXIT
mkdir -p "$WORK"

# ---- The source ----------------------------------------------------------------------------------------------------

# shellcheck source=scripts/apt.sh
. scripts/apt.sh

extract() { # ARCHIVE KERNEL: from an archive of the source, which its name tells how to read
  local prefix=linux-source-$2
  mkdir -p "$WORK/extracted"
  tar -xJ -C "$WORK/extracted" --strip-components=1 "${PARTS[@]/#/$prefix/}" <"$1" ||
    die "$1 is laid out differently from what this script knows"
}

# fetch KERNEL: makes $CACHE/bpftool-source-KERNEL; fails if the package is not to be had.
fetch() {
  local package=linux-source-$1 archive version
  [ ! -e "$CACHE/bpftool-source-$1/version" ] || return 0
  archive=/usr/src/$package.tar.xz
  if [ -e "$archive" ]; then
    version=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null || echo "$archive")
    say "reading $archive"
  else
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
    apt_state system
    update || say "some package lists could not be read; going on"
    if [ -z "$(candidate "$package")" ]; then
      apt_other_suite "$(suite "$1")" || return 1
    fi
    version=$(candidate "$package")
    [ -n "$version" ] || return 1
    say "downloading the source of the kernel, $package $version (once; 150 MB, of which 6 MB are kept)"
    download "$package=$version" || return 1
    archive=$WORK/linux.tar.xz
    dpkg-deb --fsys-tarfile "$WORK/debs/${package}"_*.deb | tar -xO "./usr/src/$package.tar.xz" >"$archive"
    rm -rf "$WORK/debs"
  fi
  extract "$archive" "$1"
  rm -f "$WORK/linux.tar.xz"
  printf '%s %s\n' "$package" "$version" >"$WORK/extracted/version"
  rm -rf "$CACHE/bpftool-source-$1"
  mv "$WORK/extracted" "$CACHE/bpftool-source-$1"
}

if [ -n "$SRC" ]; then
  origin=$SRC
  mkdir -p "$NEW/src"
  for part in "${copied[@]}"; do
    [ -e "$SRC/$part" ] || continue
    mkdir -p "$NEW/src/$(dirname "$part")"
    cp -a "$SRC/$part" "$NEW/src/$part"
  done
  # What was built there was built for there.
  rm -rf "$NEW/src/$DIR"/{bootstrap,feature,libbpf,FEATURE-DUMP.bpftool} "$NEW/src/$DIR"/*.[od]
else
  if [ -z "$KERNEL" ]; then
    for KERNEL in 6.12 6.1 ''; do
      [ -n "$KERNEL" ] ||
        die "no source of a kernel is to be had from this system's package sources; get one and set BPFTOOL_SRC to its directory"
      ! fetch "$KERNEL" || break
    done
  else
    fetch "$KERNEL" ||
      die "the source of Linux $KERNEL is not to be had from this system's package sources; get it and set BPFTOOL_SRC to its directory"
  fi
  origin=$(cat "$CACHE/bpftool-source-$KERNEL/version")
  touch "$CACHE/bpftool-source-$KERNEL"
  cp -a "$CACHE/bpftool-source-$KERNEL" "$NEW/src"
fi

# ---- Patches and build ---------------------------------------------------------------------------------------------

[ ! -e "$NEW/src/$DIR/fixed_width.c" ] || die "$origin has these patches already: build bpftool there"
for patch in bpftool-patches/*.patch; do
  # The patch says what it changes if not every version has it.
  needs=$(sed -n 's/^Needs: //p' "$patch")
  if [ -n "$needs" ] && ! grep -q "\<$needs\>" "$NEW/src/$DIR"/*.c; then
    say "$(basename "$patch") is left out: this version has no $needs"
    continue
  fi
  patch --quiet --no-backup-if-mismatch --forward -p1 -F2 -d "$NEW/src/$DIR" <"$patch" >"$WORK/log" 2>&1 ||
    { cat "$WORK/log" >&2; die "$patch does not apply to the source in $origin"; }
done

say "building from $origin"
# Nothing of the caller's make, nor flags for other programs.
env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES -u CFLAGS -u LDFLAGS -u ARCH -u CROSS_COMPILE -u O -u OUTPUT \
  make -C "$NEW/src/$DIR" -j"$(nproc)" bootstrap feature-clang-bpf-co-re=0 feature-llvm=0 feature-libbfd=0 CRYPTO_LIBS= SKIP_CRYPTO=1 \
  </dev/null >"$WORK/log" 2>&1 || { tail -n 40 "$WORK/log" >&2; die "the build failed"; }
cp "$NEW/src/$DIR/bootstrap/bpftool" "$NEW/bpftool"
rm -rf "$NEW/src" "$WORK"
"$NEW/bpftool" version >/dev/null || die "what was built does not run"
printf '%s\n' "$origin" >"$NEW/origin"
rm -rf "$BUILT"
mv "$NEW" "$BUILT"
trap - EXIT
deliver
# Those of other patches and sources go when nothing has used them for a month.
find "$CACHE" -maxdepth 1 -type d -name 'bpftool-*' -mtime +30 -exec rm -rf {} +
say "made $OUT: $("$OUT" version | sed -n '1s/.*\(v[0-9]\)/\1/p'), from $origin"
