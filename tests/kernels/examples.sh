#!/usr/bin/env bash
# Usage: examples.sh KERNEL
#
# Runs the examples that need what few machines let a program do, such as security hooks, in a virtual machine with
# kernel KERNEL, and sees that they report what happens there.
#
# For `make test-kernel-examples`, which says by HOST and EXAMPLES where the host and the components are.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${HOST:?}" "${EXAMPLES:?}"

say() { printf '==> %s\n' "$*" >&2; }

if [ "${1:-}" != --inside ]; then
  # Found here and there.
  HOST=$(realpath "$HOST") EXAMPLES=$(realpath "$EXAMPLES")
  export HOST EXAMPLES
  say "compiling the components for the kernel $1"
  "$HOST" compile --any-cpu "$EXAMPLES"/{lsm-audit,task-iter}.component.wasm
  say "examples on the kernel $1"
  exec tests/kernels/run.sh --timeout 300 "$1" tests/kernels/examples.sh --inside
fi

# From here on in the virtual machine.
dir=$(mktemp -d)
run=("$HOST" run --any-cpu)

failed() {
  tail -n 200 "$dir/output" >&2
  cat "$dir/errors" >&2
  say "lsm-audit: $*"
  exit 1
}

# until_reported PATTERN: waits for a line of the output.
until_reported() {
  for _ in $(seq 300); do
    if grep -Eq -- "$1" "$dir/output"; then return; fi
    kill -0 "$tool" 2>/dev/null || failed "it ended"
    sleep 0.2
  done
  failed "no line has $1"
}

"${run[@]}" --allow lsm "$EXAMPLES/lsm-audit.component.wasm" >"$dir/output" 2>"$dir/errors" &
tool=$!
until_reported '^ +UID +PID COMM +EVENT +WHAT$'
echo contents >"$dir/audited"
# It lets everything pass.
[ "$(cat "$dir/audited")" = contents ] || failed "a file could not be read"
cp "$(type -P true)" "$dir/started"
"$dir/started" || failed "a program could not be started"
cat "/proc/$tool/maps" >"$dir/maps" || failed "a process could not be looked into"
"${run[@]}" "$EXAMPLES/task-iter.component.wasm" >"$dir/tasks" || failed "a component could not use bpf"
grep -q ' COMM$' "$dir/tasks" || failed "task-iter printed nothing"
until_reported " cat +open +r $dir/audited\$"
until_reported " bash +open +w $dir/audited\$"
until_reported " exec +$dir/started\$"
until_reported " cat +ptrace +$tool "
until_reported ' bpf +prog-load$'
until_reported ' bpf +iter-create$'
kill -INT "$tool"
wait "$tool" || failed "it ended with status $?"
say "lsm-audit: passed on $(uname -r)"
say "task-iter: passed on $(uname -r)"
rm -rf "$dir"
