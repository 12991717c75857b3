#!/usr/bin/env bash
# Usage: custom-btf.sh [KERNEL]
#
# A kernel without BTF of its own, in a virtual machine: an object that is relocated is refused with a message that names --btf,
# and with BTF of this kernel in a file it is loaded. The kernels at hand have BTF, so it is copied and then hidden.
#
# HOST is the host's binary and COMPONENT the component of the conformance folder `btf`; its case `relocated` is run.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${HOST:?}" "${COMPONENT:?}"

if [ "${1:-}" != inside ]; then
  kernel=${1:-5.10}
  compiled=$(mktemp -d)
  trap 'rm -rf "$compiled"' EXIT
  cp "$COMPONENT" "$compiled/btf.component.wasm"
  "$HOST" compile --any-cpu "$compiled/btf.component.wasm"
  HOST=$(realpath "$HOST") COMPONENT=$compiled/btf.component.wasm tests/kernels/run.sh "$kernel" tests/kernels/custom-btf.sh inside
  exit
fi

fail() { echo "custom-btf.sh: $*" >&2; exit 1; }

relocated() { "$HOST" run --any-cpu "$@" "$COMPONENT" relocated; }

copy=/tmp/custom.btf
cp /sys/kernel/btf/vmlinux "$copy"
relocated || fail "with the kernel's own BTF the object is not loaded"

mount -t tmpfs none /sys/kernel/btf
if message=$(relocated 2>&1); then
  fail "without BTF the object is loaded"
fi
grep -q -e '--btf FILE' <<<"$message" || fail "the message does not name --btf: $message"
echo "without: $message"

relocated --btf "$copy" || fail "with --btf the object is not loaded"
echo "with --btf: loaded"
