#!/usr/bin/env bash
# Usage: on-kernels.sh DIRECTORY 'KERNEL...' [OPTION OF conformance run]...
#
# Runs the conformance suite with the same host and the same component files on several kernels: `running` is this
# machine's own, the others are those of tests/kernels, in virtual machines. Without a list it takes all. What came out
# is in DIRECTORY: KERNEL.json, KERNEL.log, KERNEL.console, junit.xml.
#
# For `make test-kernels`, which says by CONFORMANCE, HOST and COMPONENTS where the runner, the host and the components
# are.
set -euo pipefail
cd "$(dirname "$0")/../.."

# How much slower software emulation is, with room for a machine that is busy.
FACTOR=15
TIMEOUT=1500

say() { printf '==> %s\n' "$*" >&2; }

out=$1 kernels=$2
shift 2
[ -n "$kernels" ] || kernels="running $(tests/kernels/run.sh --list | paste -sd ' ')"
rm -rf "$out"
mkdir -p "$out"

say "compiling the components once for all kernels"
"$HOST" compile --any-cpu "$COMPONENTS"/*/*.component.wasm
host="$HOST run --any-cpu {grants} {limits} {component} {args}"

results=() failed=()
for kernel in $kernels; do
  say "the conformance suite on kernel $kernel"
  start=$SECONDS status=0
  # Each kernel's failures are shown with it; what is wrong with all is judged at the end.
  if [ "$kernel" = running ]; then
    "$CONFORMANCE" run --host "$host" --components "$COMPONENTS" --json "$out/$kernel.json" "$@" |
      tee "$out/$kernel.log" || status=$?
  else
    # shellcheck source=tests/kernels/kernels.sh
    . tests/kernels/kernels.sh
    tests/kernels/run.sh --share "$out" --timeout $TIMEOUT --console "$out/$kernel.console" "$kernel" \
      "$CONFORMANCE" run --host "$host" --components "$COMPONENTS" --json "/share/$kernel.json" \
      --config "$KERNELS_DIR/$kernel/config" --time-factor $FACTOR "$@" | tee "$out/$kernel.log" || status=$?
  fi
  say "kernel $kernel: $((SECONDS - start)) s"
  # 1: cases failed. Anything else: there are no results.
  case $status in
  0 | 1) results+=("$out/$kernel.json") ;;
  *) failed+=("$kernel (status $status)") ;;
  esac
done

if [ ${#results[@]} -gt 0 ]; then
  say "all kernels"
  status=0
  "$CONFORMANCE" matrix --junit "$out/junit.xml" "${results[@]}" || status=$?
fi
if [ ${#failed[@]} -gt 0 ]; then
  say "no results of: ${failed[*]}"
  exit 1
fi
exit "$status"
