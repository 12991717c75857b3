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
: "${CONFORMANCE:?}" "${HOST:?}" "${COMPONENTS:?}"

# How much slower software emulation is, with room for a machine that is busy.
FACTOR=15
TIMEOUT=2700

say() { printf '==> %s\n' "$*" >&2; }

# shellcheck source=tests/kernels/kernels.sh
. tests/kernels/kernels.sh

out=$1 kernels=$2
shift 2
[ -n "$kernels" ] || kernels="running $(kernel_names | paste -sd ' ')"
rm -rf "$out"
mkdir -p "$out"

say "compiling the components once for all kernels"
"$HOST" compile --any-cpu "$COMPONENTS"/*/*.component.wasm
host="$HOST run --any-cpu {grants} {limits} {dirs} {component} {args}"

results=() failed=()
# told KERNEL STATUS SECONDS: what came out of one kernel.
told() {
  say "kernel $1: $3 s"
  # Failures in full, the rest in numbers.
  awk '/^FAILED/ { shown = 1; print; next } /^ / && shown { print; next } { shown = 0 } /^kernel / { rest = 1 } rest' "$out/$1.log"
  # 1: cases failed. Anything else: there are no results.
  case $2 in
  0 | 1) results+=("$out/$1.json") ;;
  *)
    tail -n 50 "$out/$1.log" >&2
    failed+=("$1 (status $2)")
    ;;
  esac
}

# This machine's own first, alone: some cases look at the clock.
vms=()
for kernel in $kernels; do
  if [ "$kernel" != running ]; then
    vms+=("$kernel")
    continue
  fi
  say "the conformance suite on the running kernel"
  start=$SECONDS status=0
  "$CONFORMANCE" run --host "$host" --components "$COMPONENTS" --json "$out/running.json" "$@" \
    >"$out/running.log" 2>&1 || status=$?
  told running "$status" $((SECONDS - start))
done

# Once, not by two virtual machines at the same time.
if [ ${#vms[@]} -gt 0 ]; then tests/kernels/setup.sh; fi
for kernel in "${vms[@]}"; do tests/kernels/fetch.sh "$kernel" "$KERNELS_DIR/$kernel"; done

# Virtual machines side by side: each is emulated by one thread.
at_once=$(nproc)
names=() pids=() starts=()
trap 'kill "${pids[@]}" 2>/dev/null || true' EXIT
finish_first() {
  local status=0
  wait "${pids[0]}" || status=$?
  told "${names[0]}" "$status" $((SECONDS - starts[0]))
  names=("${names[@]:1}") pids=("${pids[@]:1}") starts=("${starts[@]:1}")
}
for kernel in "${vms[@]}"; do
  if [ ${#pids[@]} -ge "$at_once" ]; then finish_first; fi
  say "the conformance suite on kernel $kernel; $out/$kernel.log shows how far it is"
  # Becomes the script, so that ending it ends the virtual machine.
  (
    exec tests/kernels/run.sh --share "$out" --timeout $TIMEOUT --console "$out/$kernel.console" "$kernel" \
      "$CONFORMANCE" run --host "$host" --components "$COMPONENTS" --json "/share/$kernel.json" \
      --config "$KERNELS_DIR/$kernel/config" --time-factor $FACTOR "$@" >"$out/$kernel.log" 2>&1
  ) &
  names+=("$kernel") pids+=($!) starts+=($SECONDS)
done
while [ ${#pids[@]} -gt 0 ]; do finish_first; done

if [ ${#results[@]} -gt 0 ]; then
  say "all kernels"
  status=0
  "$CONFORMANCE" matrix --junit "$out/junit.xml" "${results[@]}" || status=$?
fi
if [ ${#failed[@]} -gt 0 ]; then
  say "no results of: ${failed[*]}"
  exit 1
fi
exit "${status:-1}"
