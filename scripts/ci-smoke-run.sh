#!/usr/bin/env bash
# Usage: scripts/ci-smoke-run.sh
# Does what a newcomer does: `make run`, start a program, see its line, Ctrl-C. Fails if a part of that does not work.
set -euo pipefail
set -m # jobs get a process group of their own, so that an interrupt reaches one as Ctrl-C would
cd "$(dirname "$0")/.."

BUILD_LIMIT=${BUILD_LIMIT:-3000} # seconds until the tool shows its header; the host may have to be built first
EVENT_LIMIT=20
STOP_LIMIT=15

dir=$(mktemp -d)
job=
cleanup() {
  if [ -n "$job" ]; then kill -KILL -- "-$job" 2>/dev/null || true; fi
  rm -rf "$dir"
}
trap cleanup EXIT
fail() {
  printf 'smoke: %s\n--- standard output of make run\n' "$*" >&2
  tail -n 40 "$dir/out" >&2
  echo '--- its standard error' >&2
  tail -n 40 "$dir/err" >&2
  exit 1
}
running() { kill -0 "$job" 2>/dev/null; }
ended() { ! running; }
# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.2
  done
}

make run </dev/null >"$dir/out" 2>"$dir/err" &
job=$!
header_or_end() { grep -q '^TIME .*EVENT .*COMM .*PID ' "$dir/out" || ended; }
wait_for "$BUILD_LIMIT" header_or_end || fail "no header after $BUILD_LIMIT s"
running || fail "make run ended by itself"

# A name that nothing else on this machine has; the kernel keeps 15 characters.
name=wb-smoke-$$
cp "$(type -P true)" "$dir/$name"
line() { awk -v event="$1" -v name="$name" '$2 == event && $3 == name && $4 ~ /^[0-9]+$/ { found = 1 } END { exit !found }' "$dir/out"; }
start_and_look() {
  "$dir/$name"
  line EXEC && line EXIT
}
wait_for "$EVENT_LIMIT" start_and_look || fail "no EXEC and EXIT line for $name within $EVENT_LIMIT s"

# To make, its shell and the tool, as the terminal does.
kill -INT -- "-$job"
wait_for "$STOP_LIMIT" ended || fail "still running $STOP_LIMIT s after the interrupt"
status=0
wait "$job" || status=$?
# make itself reports the interrupt when it got one, however well the tool ended.
case $status in 0 | 130) ;; *) fail "make run ended with status $status" ;; esac
if kill -0 -- "-$job" 2>/dev/null; then fail "make run ended, but left a process behind"; fi
job=

grep -m 1 '^TIME ' "$dir/out"
awk -v name="$name" '$3 == name' "$dir/out" | sed -n 1,2p
echo "smoke: ok"
