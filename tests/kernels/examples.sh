#!/usr/bin/env bash
# Usage: examples.sh KERNEL
#
# Runs the examples that need what few machines let a program do, such as security hooks, in a virtual machine with
# kernel KERNEL, and sees that they report what happens there.
#
# For `make test-kernel-examples`, which says by HOST, EXAMPLES and C_EXAMPLES where the host and the components are.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${HOST:?}" "${EXAMPLES:?}" "${C_EXAMPLES:?}"

say() { printf '==> %s\n' "$*" >&2; }

if [ "${1:-}" != --inside ]; then
  # Found here and there.
  HOST=$(realpath "$HOST") EXAMPLES=$(realpath "$EXAMPLES") C_EXAMPLES=$(realpath "$C_EXAMPLES")
  export HOST EXAMPLES C_EXAMPLES
  say "compiling the components for the kernel $1"
  "$HOST" compile --any-cpu "$EXAMPLES"/{lsm-audit,task-iter}.component.wasm "$C_EXAMPLES"/{lsm,tcpconnlat}.component.wasm
  say "examples on the kernel $1"
  exec tests/kernels/run.sh --timeout 300 "$1" tests/kernels/examples.sh --inside
fi

# From here on in the virtual machine.
dir=$(mktemp -d)
run=("$HOST" run --any-cpu)

failed() {
  tail -n 200 "$dir/output" >&2
  cat "$dir/errors" >&2
  say "$name: $*"
  exit 1
}

# begin NAME OPTION... -- ARGUMENT...: starts an example, whose output is looked at from then on.
begin() {
  local component=$1
  name=$(basename "$component" .component.wasm)
  shift
  local options=()
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  shift
  "${run[@]}" "${options[@]}" "$component" "$@" >"$dir/output" 2>"$dir/errors" &
  tool=$!
}

# As Ctrl-C does.
finish() {
  kill -INT "$tool"
  wait "$tool" || failed "it ended with status $?"
  say "$name: passed on $(uname -r)"
}

# connect ADDRESS PORT: says how it ended. Nobody listens there.
connect() { bash -c "exec 3<>/dev/tcp/$1/$2" 2>&1 || true; }

# until_reported PATTERN: waits for a line of the output.
until_reported() {
  for _ in $(seq 300); do
    if grep -Eq -- "$1" "$dir/output"; then return; fi
    kill -0 "$tool" 2>/dev/null || failed "it ended"
    sleep 0.2
  done
  failed "no line has $1"
}

begin "$EXAMPLES/lsm-audit.component.wasm" --allow lsm --
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
finish
say "task-iter: passed on $(uname -r)"

ip link set lo up
begin "$C_EXAMPLES/tcpconnlat.component.wasm" --
until_reported '^ +PID COMM +IP SOURCE '
connect 127.0.0.1 7 >"$dir/connected"
grep -q 'Connection refused' "$dir/connected" || failed "connecting gave: $(cat "$dir/connected")"
until_reported "^ +[0-9]+ bash +4  127.0.0.1 +[0-9]+ +127.0.0.1 +7 +[0-9]+\.[0-9]{3}\$"
finish

begin "$C_EXAMPLES/lsm.component.wasm" --allow lsm -- 127.0.0.2
until_reported '^WHAT '
connect 127.0.0.1 7 >"$dir/connected"
grep -q 'Connection refused' "$dir/connected" || failed "an address that is allowed gave: $(cat "$dir/connected")"
connect 127.0.0.2 7 >"$dir/connected"
grep -q 'Operation not permitted' "$dir/connected" || failed "the address that is denied gave: $(cat "$dir/connected")"
until_reported '^allowed +[0-9]+ +0 bash +127.0.0.1:7$'
until_reported '^denied +[0-9]+ +0 bash +127.0.0.2:7$'
finish
connect 127.0.0.2 7 >"$dir/connected"
grep -q 'Connection refused' "$dir/connected" || failed "it still denies: $(cat "$dir/connected")"
rm -rf "$dir"
