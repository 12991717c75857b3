#!/usr/bin/env bash
# Usage: scripts/setup.sh [FILE]
#
# Makes the machine ready to build the host and the guests, and writes what it found to FILE (build/toolchain.env), a
# shell file that the Makefile reads. On Debian and its relatives it installs what is missing when it runs as root;
# otherwise it says what to install. When all is there it changes nothing and takes a fraction of a second.
#
# GUEST_STD chooses where the Rust std for guests (wasm32-wasip2) comes from:
#   auto     (default) the toolchain in use, if it has one; else, on Debian, `debian`
#   rustup   rustup target add wasm32-wasip2
#   debian   a toolchain made of Debian packages in the user's cache directory (scripts/guest-toolchain.sh)
# CLANG and LLVM_STRIP choose the tools for BPF objects.
set -euo pipefail
cd "$(dirname "$0")/.."

OUT=${1:-build/toolchain.env}
GUEST_STD=${GUEST_STD:-auto}
TARGET=wasm32-wasip2
CLANG_LEAST=19 # the oldest that compiles every kind of BPF program the tests have

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

case $GUEST_STD in
auto | rustup | debian) ;;
*) die "GUEST_STD is '$GUEST_STD'; it can be auto, rustup or debian" ;;
esac

# ---- Tools and libraries -------------------------------------------------------------------------------------------

# A clang that is recent enough, as an absolute path, or nothing.
find_clang() {
  local name path version
  for name in ${CLANG:-clang clang-22 clang-21 clang-20 clang-19}; do
    path=$(command -v "$name") || continue
    version=$("$path" --version | sed -n 's/.*clang version \([0-9]*\)\..*/\1/p')
    if [ "${version:-0}" -ge "$CLANG_LEAST" ]; then
      echo "$path"
      return
    fi
  done
}
# Debian keeps the tools of one LLVM version in one directory; the plain name may be of another version or missing.
find_strip() {
  local name
  for name in ${LLVM_STRIP:-"$(dirname "$(readlink -f "$1")")/llvm-strip" llvm-strip}; do
    if command -v "$name"; then return; fi
  done
}
# The host is linked statically with libelf and zlib. A compiler answers with a full path only for a file it finds.
has_library() { # NAME FILE
  case $(cc -print-file-name="$2") in /*) pkg-config --exists "$1" ;; *) false ;; esac
}

# Fills DEBIAN and FEDORA with the packages that are missing.
look() {
  DEBIAN=() FEDORA=()
  if ! command -v cc >/dev/null; then
    DEBIAN+=(gcc libc6-dev) FEDORA+=(gcc glibc-devel)
  elif [ "$(cc -print-file-name=crt1.o)" = crt1.o ]; then
    DEBIAN+=(libc6-dev) FEDORA+=(glibc-devel)
  fi
  command -v make >/dev/null || { DEBIAN+=(make) FEDORA+=(make); }
  command -v flock >/dev/null || { DEBIAN+=(util-linux) FEDORA+=(util-linux); }
  command -v pkg-config >/dev/null || { DEBIAN+=(pkg-config) FEDORA+=(pkgconf-pkg-config); }
  has_library libelf libelf.a 2>/dev/null || { DEBIAN+=(libelf-dev) FEDORA+=(elfutils-libelf-devel elfutils-libelf-devel-static); }
  has_library zlib libz.a 2>/dev/null || { DEBIAN+=(zlib1g-dev) FEDORA+=(zlib-devel zlib-static); }
  # Newer versions of libelf read sections that were compressed with zstd.
  case $(pkg-config --static --libs libelf 2>/dev/null) in
  *zstd*) has_library libzstd libzstd.a 2>/dev/null || { DEBIAN+=(libzstd-dev) FEDORA+=(libzstd-devel libzstd-static); } ;;
  esac
  clang=$(find_clang)
  strip=
  if [ -z "$clang" ]; then
    [ -z "${CLANG:-}" ] || die "CLANG is '$CLANG', which is not a clang $CLANG_LEAST or newer"
    DEBIAN+=(clang llvm) FEDORA+=(clang llvm)
  else
    strip=$(find_strip "$clang")
    [ -n "$strip" ] || { DEBIAN+=(llvm) FEDORA+=(llvm); }
  fi
}

# The first version of clang, from the oldest that will do, that this system's sources have.
debian_llvm() {
  local v
  for v in $CLANG_LEAST 20 21 22; do
    case $(apt-cache policy "clang-$v" 2>/dev/null) in
    '' | *'Candidate: (none)'*) ;;
    *) echo "$v"; return ;;
    esac
  done
}

# Puts the versioned names into DEBIAN: the plain ones may stand for a clang that is too old.
name_llvm() {
  local v i
  v=$(debian_llvm)
  for i in "${!DEBIAN[@]}"; do
    case ${DEBIAN[i]} in clang | llvm) DEBIAN[i]+=-${v:-$CLANG_LEAST} ;; esac
  done
}

install_missing() {
  say "installing: ${DEBIAN[*]}"
  if [ -z "${updated:-}" ]; then
    apt-get update -qq </dev/null >&2 || say "some package lists could not be read; going on"
    updated=1
  fi
  name_llvm
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "${DEBIAN[@]}" </dev/null >&2 || die "apt-get could not install: ${DEBIAN[*]}"
}

look
if [ ${#DEBIAN[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  install_missing
  look
  # What the first round brought may ask for more: libelf for zstd.
  if [ ${#DEBIAN[@]} -gt 0 ]; then install_missing && look; fi
fi
if [ ${#DEBIAN[@]} -gt 0 ]; then
  name_llvm
  say "these packages are missing; install them and run this again:"
  say "  Debian, Ubuntu:  apt-get install ${DEBIAN[*]}"
  say "  Fedora:          dnf install ${FEDORA[*]}"
  case "${DEBIAN[*]}" in *clang*) say "clang must be $CLANG_LEAST or newer; CLANG=... names one that is not on the PATH" ;; esac
  exit 1
fi

# ---- Rust ----------------------------------------------------------------------------------------------------------

least=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' Cargo.toml)
for tool in rustc cargo; do
  command -v $tool >/dev/null || die "$tool was not found; install Rust $least or newer (rustup, or the distribution's package)"
done
rust=$(rustc --version | sed 's/^rustc \([0-9.]*\).*/\1/')
[ "$(printf '%s\n' "$least" "$rust" | sort -V | sed -n 1p)" = "$least" ] || die "rustc is $rust; $least or newer is needed"

has_std() { # of the toolchain in use, for guests
  local dir lib
  dir=$(rustc --print target-libdir --target "$TARGET" 2>/dev/null) || return
  for lib in "$dir"/libstd-*.rlib; do [ -e "$lib" ] && return; done
  return 1
}

guest_rustc='' guest_id="rustc $rust" wasi='' component_ld='' wasm_ld='' ld_libs='' builtins=''
if [ "$GUEST_STD" != debian ] && has_std; then
  from="rustc's own std"
elif [ "$GUEST_STD" = rustup ]; then
  command -v rustup >/dev/null || die "GUEST_STD=rustup, but rustup was not found"
  say "adding $TARGET with rustup"
  rustup target add "$TARGET" </dev/null >&2 || die "rustup could not add $TARGET"
  has_std || die "rustup added $TARGET, but the rustc in use does not have it: $(command -v rustc)"
  from="rustc's own std"
elif [ "$GUEST_STD" = debian ] || grep -qsx 'ID="\?debian"\?' /etc/os-release; then
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/wasm-bpf
  prefix=$cache/guest-toolchain-$(scripts/guest-toolchain.sh --version)
  [ -e "$prefix/versions" ] || say "making a Rust toolchain for guests out of Debian packages, in $prefix (once; 1 to 3 minutes)"
  scripts/guest-toolchain.sh "$prefix"
  guest_rustc=$prefix/bin/rustc guest_id=$(sed -n 's/^made //p' "$prefix/versions") wasi=$prefix/wasi
  from="the toolchain in $prefix"
  for component_ld in "$prefix"/usr/lib/rustlib/*/bin/wasm-component-ld; do :; done
  wasm_ld=${component_ld%/*}/wasm-ld
  for ld_libs in "$prefix"/usr/lib/*/librustc_driver-*.so; do ld_libs=${ld_libs%/*}; done
  for builtins in "$prefix/usr/lib/rustlib/$TARGET/lib"/libcompiler_builtins-*.rlib; do :; done
  # Those that earlier versions of the script made go when nothing has used them for a month.
  touch "$prefix"
  find "$cache" -maxdepth 1 -type d -name 'guest-toolchain-*' -mtime +30 -exec rm -rf {} +
else
  say "rustc $rust has no std for $TARGET, which guests need. With rustup:"
  say "  rustup target add $TARGET        (or once: make GUEST_STD=rustup ...)"
  exit 1
fi

# ---- What was found ------------------------------------------------------------------------------------------------

mkdir -p "$(dirname "$OUT")"
{
  echo "# Written by scripts/setup.sh. To use cargo by hand: . $OUT"
  printf 'export CLANG=%q\nexport LLVM_STRIP=%q\n' "$clang" "$strip"
  echo "# For guests: the compiler (empty: the usual one), what identifies its std, and wasi-libc if it brings one."
  printf 'GUEST_RUSTC=%q\nGUEST_STD_ID=%q\nGUEST_WASI_LIBC=%q\n' "$guest_rustc" "$guest_id" "$wasi"
  echo "# For guests in C, without a wasi-sdk: the linker, the one that it runs, their libraries, and what the compiler's code calls."
  printf 'GUEST_COMPONENT_LD=%q\nGUEST_WASM_LD=%q\nGUEST_LD_LIBRARY_PATH=%q\nGUEST_BUILTINS=%q\n' \
    "$component_ld" "$wasm_ld" "$ld_libs" "$builtins"
} >"$OUT.new"
if cmp -s "$OUT.new" "$OUT"; then rm "$OUT.new"; else mv "$OUT.new" "$OUT"; fi
say "ready: rustc $rust, $("$clang" --version | sed -n 's/.*\(clang version [0-9.]*\).*/\1/p'); guests: $from"
