#!/usr/bin/env bash
# Usage: tests/skeleton/check.sh BPFTOOL
#
# Makes skeletons of the programs in this directory, and of tests/c/globals.bpf.c, with a patched bpftool, and compiles them for guests and
# for this machine: their asserts hold if each variable is where BPF has it. A header whose types are not the same on both sides has to
# fail, with what to do about it. That the two sides read the same is tried by tests/tests/kernel_c_programs.rs.
#
# Environment: CLANG, and GUEST_WASI_LIBC or WASI_SDK_PATH, as build/toolchain.env has them.
set -euo pipefail

BPFTOOL=$(realpath "${1:?the bpftool}")
cd "$(dirname "$0")"
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

die() { printf 'check.sh: %s\n' "$*" >&2; exit 1; }
[ -z "${WASI_SDK_PATH:-}" ] || GUEST_WASI_LIBC=$WASI_SDK_PATH/share/wasi-sysroot
[ -n "${GUEST_WASI_LIBC:-}" ] ||
  die 'there is no libc for guests: set WASI_SDK_PATH to a wasi-sdk, or on Debian run: GUEST_STD=debian make setup'
version=$("$BPFTOOL" version | sed -n '1s/.*v\([0-9.]*\).*/\1/p')

# The kernel's headers alone, without those of the system's C library beside them.
for asm in /usr/include/asm "/usr/include/$(uname -m)-linux-gnu/asm"; do [ ! -e "$asm/types.h" ] || ln -sfn "$asm" "$WORK/asm"; done
ln -s /usr/include/linux /usr/include/asm-generic "$WORK"
[ -e "$WORK/asm" ] || die "the headers of the kernel were not found in /usr/include"

warnings=(-Wall -Wextra -Werror -Wno-gnu-variable-sized-type-not-at-end -fsyntax-only)
include=(-I "$WORK" -I . -I ../c -idirafter "$WORK")
# What a guest has beside libbpf's headers is not for this machine.
ln -s "$(realpath ../../guest-sdk-c/include/bpf)" "$WORK/bpf"
wasm=(-I ../../guest-sdk-c/include --target=wasm32-wasip2 --sysroot="$GUEST_WASI_LIBC" -isystem "$GUEST_WASI_LIBC/include/wasm32-wasip2")

bpf() { # NAME FLAG...: NAME.bpf.c becomes an object in $WORK
  "$CLANG" -target bpf -mcpu=v3 -O2 -g -Wall -Werror -idirafter "$WORK" \
    "${@:2}" -c "$1.bpf.c" -o "$WORK/${1##*/}.bpf.o"
}
skeleton() { "$BPFTOOL" gen skeleton --fixed-width "$WORK/$1.bpf.o" >"$WORK/$1.skel.h"; }
# compiles SOURCE FLAG...: for guests and natively, as C and as C++
compiles() {
  "$CLANG" "${wasm[@]}" "${warnings[@]}" "${include[@]}" "${@:2}" "$1"
  "$CLANG" --driver-mode=g++ -nostdinc++ -x c++ "${wasm[@]}" "${warnings[@]}" "${include[@]}" "${@:2}" "$1"
  cc "${warnings[@]}" "${include[@]}" "${@:2}" "$1"
}
passed() { printf 'ok: bpftool %s: %s\n' "$version" "$*"; }

# The program itself is not for C++; what includes the skeleton alone serves both.
flags=()
bpf ../c/globals
if ! skeleton globals 2>"$WORK/said"; then
  # Its libbpf knows one section of zeroes only.
  [ "$version" = 7.1.0 ] || { cat "$WORK/said" >&2; die 'there is no skeleton of globals.bpf.c'; }
  flags=(-DONE_BSS)
  bpf ../c/globals "${flags[@]}"
  skeleton globals
fi
printf '#include "globals.h"\n#include "globals.skel.h"\n' >"$WORK/globals.c"
compiles "$WORK/globals.c"
"$CLANG" "${wasm[@]}" "${warnings[@]}" "${include[@]}" "${flags[@]}" ../c/globals.c
passed "variables of all kinds: globals.bpf.c ${flags[*]}"

# The skeleton that any bpftool makes does not compile for guests: what the option is for.
"$BPFTOOL" gen skeleton "$WORK/globals.bpf.o" >"$WORK/globals.skel.h"
cc "${warnings[@]}" "${include[@]}" "$WORK/globals.c"
if "$CLANG" "${wasm[@]}" "${warnings[@]}" "${include[@]}" "$WORK/globals.c" 2>/dev/null; then
  die 'a skeleton with long compiled for 32 bits: then nothing is tested here'
fi
passed 'without the option all is as it was'

bpf layouts
skeleton layouts
printf '#include "layouts.h"\n#include "layouts.skel.h"\n' >"$WORK/layouts.c"
"$CLANG" "${wasm[@]}" "${warnings[@]}" "${include[@]}" -DBPF_SKEL_SIZE_ONLY_other_names "$WORK/layouts.c"
cc "${warnings[@]}" "${include[@]}" -DBPF_SKEL_SIZE_ONLY_other_names "$WORK/layouts.c"
if "$CLANG" "${wasm[@]}" "${warnings[@]}" "${include[@]}" "$WORK/layouts.c" 2>"$WORK/said"; then
  die 'fields that are not there were not missed'
fi
grep -q "no member named 'in' in 'struct other_names'" "$WORK/said" || { cat "$WORK/said" >&2; die 'the wrong thing was missed'; }
grep -q 'const __u64 CONFIG_HZ;' "$WORK/layouts.skel.h" || die 'a constant of the configuration can be written'
passed 'types without names, and types that have other names here: layouts.bpf.c'

bpf narrow
skeleton narrow
printf '#include "narrow.h"\n#include "narrow.skel.h"\n' >"$WORK/narrow.c"
cc "${warnings[@]}" "${include[@]}" "$WORK/narrow.c"
if "$CLANG" "${wasm[@]}" -ferror-limit=0 "${warnings[@]}" "${include[@]}" "$WORK/narrow.c" 2>"$WORK/said"; then
  die 'a header with long was accepted'
fi
for expected in \
  "size of field 'total' of struct event is 8 in BPF, where its type is unsigned long: declare it as __u64" \
  "size of field 'parts' of struct event is 16 in BPF, where its elements are of type long: declare them as __s64" \
  "size of field 'where' of struct inner is 8 in BPF, where its type is pointer: declare it as __u64" \
  "offset of field 'last' of struct event is 64 in BPF" \
  "size of struct event is 72 in BPF"; do
  grep -qF "$expected" "$WORK/said" || { cat "$WORK/said" >&2; die "it was not said: $expected"; }
done
if grep -q 'struct fine' "$WORK/said"; then die 'a header without fault was refused'; fi
passed 'a header with long and pointers is refused: narrow.h'

bpf shadow
printf 'enum kind { KIND_ONE = 1 };\n#include "shadow.skel.h"\n' >"$WORK/shadow.c"
skeleton shadow
case $version in
7.[1-4].*) ;;
*)
  cat >>"$WORK/shadow.c" <<'C'
void set(struct shadow_bpf *skel);
void set(struct shadow_bpf *skel)
{
	skel->struct_ops.operations->first = skel->progs.second;
	skel->struct_ops.operations->flags = 1ULL << 40;
	skel->struct_ops.operations->high = 100;
}
C
  compiles "$WORK/shadow.c"
  passed 'operations of the kernel: shadow.bpf.c'
  ;;
esac

for wrong in 'gen skeleton --fixed-width --use-loader' 'gen subskeleton --fixed-width'; do
  # shellcheck disable=SC2086 # words
  if "$BPFTOOL" $wrong "$WORK/narrow.bpf.o" >/dev/null 2>"$WORK/said"; then die "accepted: bpftool $wrong"; fi
  grep -q 'fixed-width' "$WORK/said" || { cat "$WORK/said" >&2; die "not said why: bpftool $wrong"; }
done
passed 'what does not take the option says so'
