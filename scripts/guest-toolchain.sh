#!/usr/bin/env bash
# Usage: scripts/guest-toolchain.sh PREFIX     makes the guest toolchain in PREFIX; does nothing when it is there
#        scripts/guest-toolchain.sh --version  prints the version of what this script makes
#
# Makes, out of Debian packages alone, what compiles Rust guests to WebAssembly components on a machine whose own
# toolchain has no std for wasm32-wasip2:
#   PREFIX/bin/rustc   a Rust compiler with that std (set RUSTC to it)
#   PREFIX/wasi        wasi-libc for wasm32-wasip2: headers and libraries for C guests
# Nothing is installed on the system and root is not needed. About 150 MB are downloaded, once; 0.5 GB stay on disk.
#
# How: Debian's rustc-web carries the compiler, its LLVM, the linker driver for components and the sources of std, all
# of one version. The std is compiled here, from the sources that belong to the compiler: no other version's would do.
set -euo pipefail

# Part of the prefix's name. Raise it when the contents of the prefix change, so that old prefixes are not taken for new.
VERSION=1

TARGET=wasm32-wasip2
WASI_SUITE=trixie # the oldest Debian whose wasi-libc knows WASI 0.2

say() { printf 'guest-toolchain: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

case ${1:-} in
--version) echo "$VERSION"; exit ;;
/*) PREFIX=$1 ;;
*) die "give the directory to make, as an absolute path" ;;
esac
REPO=$(cd "$(dirname "$0")/.." && pwd)

least=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$REPO/Cargo.toml")

# Whole: the last step was reached (the rename below), the compiler still starts, and it is recent enough.
whole() {
  [ -e "$PREFIX/versions" ] || return
  local rust
  rust=$("$PREFIX/bin/rustc" --version 2>/dev/null | cut -d' ' -f2)
  [ -n "$rust" ] && [ "$(printf '%s\n' "$least" "$rust" | sort -V | sed -n 1p)" = "$least" ]
}

if whole; then exit 0; fi
mkdir -p "$(dirname "$PREFIX")"
exec 9>"$PREFIX.lock"
if ! flock -n 9; then
  say "another run is making it; waiting for that one"
  flock 9
  if whole; then exit 0; fi
fi

for tool in apt-get apt-cache dpkg-deb cargo cc; do
  command -v "$tool" >/dev/null || die "'$tool' is needed and was not found"
done

# Everything happens beside the final place; only a finished toolchain gets its name.
NEW=$PREFIX.partial
WORK=$NEW/work
rm -rf "$NEW"
trap 'rm -rf "$NEW"' EXIT
mkdir -p "$WORK" "$NEW/bin" "$NEW/wasi"

# shellcheck source=scripts/apt.sh
. "$REPO/scripts/apt.sh"
installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
depends() { # PACKAGE=VERSION -> names, the first of each group of alternatives
  apt-cache "${APT[@]}" show "$1" | sed -n 's/^Depends: //p' | tr ',' '\n' | sed 's/^ *//; s/[ |(:].*//'
}

say "[1/4] reading the package lists"
apt_state system
# A failing third-party source does not matter here, as long as the compiler is found below.
update || say "some package lists could not be read; going on"
rust=$(candidate rustc-web)
[ -n "$rust" ] || die "this system's package sources have no rustc-web; with rustup: rustup target add $TARGET"
dpkg --compare-versions "$rust" ge "$least" ||
  die "rustc-web is $rust, older than $least (is the security suite enabled?); with rustup: rustup target add $TARGET"

# The compiler, its std sources and its linkers in exactly one version, and the libraries these need. The libraries of
# the compiler itself are taken even if the system has them now: a later upgrade of the system may take them away.
llvm=$(depends "rust-web-llvm=$rust" | sed -n 's/^llvm-//p')
queue=("rustc-web=$rust" "rust-web-src=$rust" "rust-web-llvm=$rust" "lld-$llvm=$(candidate "lld-$llvm")")
declare -A seen=()
for ((i = 0; i < ${#queue[@]}; i++)); do
  for name in $(depends "${queue[i]}"); do
    [ -z "${seen[$name]:-}" ] || continue
    seen[$name]=1
    case $name in
    libstd-rust-web*) queue+=("$name=$rust") ;;
    libllvm*) queue+=("$name=$(candidate "$name")") ;;
    lib*-dev) ;; # headers: compilers need them, not this one
    lib* | zlib1g) installed "$name" || queue+=("$name=$(candidate "$name")") ;;
    esac
  done
done

say "[2/4] downloading rustc $rust and wasi-libc (about 150 MB)"
download "${queue[@]}" || die "the download failed"
for deb in "$WORK"/debs/*.deb; do dpkg-deb -x "$deb" "$NEW"; done
rm -f "$WORK"/debs/*

wasi_libc() { # unpacks the wasi-libc of the current apt state; fails if it has no WASI 0.2
  rm -rf "$WORK/wasi"
  download wasi-libc && dpkg-deb -x "$WORK"/debs/wasi-libc_*.deb "$WORK/wasi" && rm -f "$WORK"/debs/*
  [ -e "$WORK/wasi/usr/lib/$TARGET/libc.a" ]
}
if ! { dpkg --compare-versions "$(candidate wasi-libc)" ge 0.0~git2024 && wasi_libc; }; then
  # An older Debian: take this one package, which is the same for all architectures, from a newer suite of the mirror
  # that this machine already uses.
  apt_other_suite "$WASI_SUITE" || die "wasi-libc is needed from $WASI_SUITE"
  wasi_libc || die "no wasi-libc for $TARGET found"
fi
cp -a "$WORK/wasi/usr/lib" "$WORK/wasi/usr/include" "$NEW/wasi/"

# rustc looks for linkers in its own bin directory first; an older wasm-ld on the system's PATH must not win.
libs=$(dirname "$(find "$NEW/usr/lib" -name 'librustc_driver-*.so' -print -quit)")
host=$(LD_LIBRARY_PATH=$libs "$NEW/usr/bin/rustc" -vV | sed -n 's/^host: //p')
ldbin=usr/lib/rustlib/$host/bin
mkdir -p "$NEW/$ldbin"
ln -sf "../../../llvm-$llvm/bin/wasm-ld" "$NEW/$ldbin/wasm-ld"
for linker in wasm-ld wasm-component-ld; do
  [ -x "$NEW/$ldbin/$linker" ] || die "rustc-web $rust is laid out differently from what this script knows: no $linker"
done
cat >"$NEW/bin/rustc" <<RUSTC
#!/bin/sh
root=\$(cd "\${0%/*}/.." && pwd)
LD_LIBRARY_PATH=\$root/${libs#"$NEW"/}\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}
PATH=\$root/$ldbin:\$PATH
export LD_LIBRARY_PATH PATH
exec "\$root/usr/bin/rustc" "\$@"
RUSTC
chmod +x "$NEW/bin/rustc"

say "[3/4] compiling std for $TARGET"
# Cargo settings that are meant for the user's own programs must not reach std.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER CARGO_BUILD_TARGET CARGO_BUILD_RUSTFLAGS
mkdir -p "$WORK/std/src"
cat >"$WORK/std/Cargo.toml" <<'TOML'
[package]
name = "std-for-guests"
edition = "2021"
[workspace]
TOML
: >"$WORK/std/src/lib.rs"
# Bitcode is what lets guests be linked with LTO, as with the std that rustup ships.
(cd "$WORK/std" && RUSTC=$NEW/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes CARGO_TARGET_DIR=$WORK/std/target \
  cargo build --quiet --release --target "$TARGET" -Zbuild-std=std,panic_abort </dev/null >&2)
lib=$NEW/usr/lib/rustlib/$TARGET/lib
mkdir -p "$lib/self-contained"
cp "$WORK/std/target/$TARGET/release/deps/"*.rlib "$lib/"
rm -f "$lib"/libstd_for_guests-*
cp "$NEW/wasi/lib/$TARGET/"{crt1-command.o,crt1-reactor.o,libc.a} "$lib/self-contained/"

say "[4/4] trying it"
echo 'fn main() { println!("hello"); }' >"$WORK/hello.rs"
"$NEW/bin/rustc" --target "$TARGET" -Clto=fat -Cpanic=abort -o "$WORK/hello.wasm" "$WORK/hello.rs"
# The first eight bytes of a component.
[ "$(head -c 8 "$WORK/hello.wasm" | od -An -tx1 | tr -d ' ')" = 0061736d0d000100 ] || die "the compiler does not make components"

rm -rf "$WORK" "${NEW:?}/usr/src" "${NEW:?}/usr/share"
{
  "$NEW/bin/rustc" --version
  # Names this very build: what was compiled against another build's std does not link with this one.
  echo "packages ${queue[*]}"
  echo "made $(date -u +%Y-%m-%dT%H:%M:%S.%NZ)"
} >"$NEW/versions"
rm -rf "$PREFIX"
mv "$NEW" "$PREFIX"
trap - EXIT
say "made in $PREFIX"
