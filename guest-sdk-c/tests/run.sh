#!/usr/bin/env bash
# Usage: guest-sdk-c/tests/run.sh [-k] [-v] [NAME...]
#
# Builds the tests of the C library (all, or those of these names), and runs each as a component on this kernel. Needs root. -k runs what is built; -v shows what tests
# print even if they pass.
# Exit code: 0 if all passed; 1 if one did not, or could not be built.
#
# The first lines of a test say what it needs, in comments:
#   // grants: GRANT...   instead of --allow-all; none: no grant
#   // needs: WORD...     --OPTION or OPTION=VALUE: for `wasm-bpf run`, as it is; and
#                           bpffs    an empty BPF file system at /sys/fs/bpf, here and in the guest
#                           tracefs  the kernel's, at /sys/kernel/tracing, in the guest too
#                           cgroup   an empty cgroup, /cgroup in the guest; $CGROUP is its path here
#                           closed   a pipe that nobody reads from as standard output
#                           full     as standard output a pipe that is not read from, and takes some pages
#                           target   target/probed.c, compiled by cc, which runs beside: /target/probed in the guest; $TARGET_PID
#                           kernel=MAJOR.MINOR    a kernel that is not older: elsewhere the test is left out
#                           vm       a kernel of ../../tests/kernels/run.sh, in which this runs: elsewhere the test is left out
#                           netkit   a netkit pair, of which primary0 is one end, in the network namespace; after netns
#                           netns    a network namespace of its own, with lo and a pair of interfaces, veth0 and veth1; /run/own-netns is
#                                    its file, in the guest too
#   // arguments: WORD... for the test
#   // exits: CODE        that it is to end with, other than 0
#   // stopped: SIGNAL    sent to the host once the test has said "ready"; standard input is then a pipe that nothing comes from
#   // says: TEXT         that is to be among what it prints
#
# Environment: WASM_BPF, the command to run components with.
set -euo pipefail
cd "$(dirname "$0")/../.."

die() { printf 'run.sh: %s\n' "$*" >&2; exit 1; }

tests=guest-sdk-c/tests
keep='' verbose=''
while getopts kv option; do
  case $option in
  k) keep=1 ;;
  v) verbose=1 ;;
  *) die 'usage: run.sh [-k] [-v] [NAME...]' ;;
  esac
done
shift $((OPTIND - 1))
names=("$@")
if [ $# = 0 ]; then
  for source in "$tests"/*.c "$tests"/*.cpp; do
    name=${source##*/}
    name=${name%.*}
    [ ! -e "$source" ] || [[ $name == *.bpf ]] || names+=("$name")
  done
fi
for name in "${names[@]}"; do
  [ -e "$tests/$name.c" ] || [ -e "$tests/$name.cpp" ] || die "there is no test $name"
done

if [ -z "${WASM_BPF:-}" ]; then
  for candidate in "${CARGO_TARGET_DIR:-target}"/{release,debug}/wasm-bpf; do
    [ ! -x "$candidate" ] || { WASM_BPF=$candidate; break; }
  done
fi
[ -x "${WASM_BPF:-}" ] || die 'there is no wasm-bpf: build it, or name it with WASM_BPF='
WASM_BPF=$(realpath "$WASM_BPF")
[ "$(id -u)" = 0 ] || die 'tests load BPF programs, which needs root'

failed=()
# One that does not build fails; the others are run all the same.
if [ -z "$keep" ]; then
  make -s -k -f "$tests/tests.mk" TESTS="${names[*]}" || true
fi

output=$(mktemp -d)
target_pid=
trap '[ -z "$target_pid" ] || kill "$target_pid"; rm -rf "$output"' EXIT
cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)

# What a test says of itself: `wanted NAME KEY`.
wanted() { sed -n "1,/^[^\/]/s|^// $2: *||p" "$1"; }

start_target() {
  mkdir -p "$output/target"
  "${CC:-cc}" -O1 "$tests/target/probed.c" -o "$output/target/probed" || return 1
  "$output/target/probed" &
  target_pid=$!
}

run_one() {
  local name=$1 source options=() arguments=() before='' apart='' around=() word made_cgroup='' code=0 expected grants stopped said closed='' full=''
  source=$(compgen -G "$tests/$name.c*" | grep -v '\.bpf\.c$')
  local component=build/tests/library/$name.component.wasm
  [ -e "$component" ] || { echo 'it was not built' >&2; return 1; }
  [ -n "$keep" ] || [ "$component" -nt "$source" ] || { echo 'it was not built anew' >&2; return 1; }

  grants=$(wanted "$source" grants)
  if [ -z "$grants" ]; then
    options+=(--allow-all)
  elif [ "$grants" != none ]; then
    for word in $grants; do options+=(--allow "$word"); done
  fi
  for word in $(wanted "$source" needs); do
    case $word in
    bpffs)
      apart=${apart:--m}
      before+='mount -t bpf bpf /sys/fs/bpf && '
      options+=(--dir /sys/fs/bpf) ;;
    tracefs)
      apart=${apart:--m}
      before+='{ [ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing; } && '
      options+=(--dir /sys/kernel/tracing) ;;
    netns)
      apart=-mn
      # First, since what others mount below /sys would be hidden.
      before='mount -t sysfs sysfs /sys && ip link set lo up && ip link add veth0 type veth peer name veth1 && '"
        ip addr add 10.77.0.1/24 dev veth0 && ip link set veth0 up && ip link set veth1 up &&
        mount -t tmpfs tmpfs /run && touch /run/own-netns && mount --bind /proc/self/ns/net /run/own-netns && $before"
      options+=(--dir /run) ;;
    closed) closed=1 ;;
    full) full=1 ;;
    netkit) before+='ip link add primary0 type netkit && ' ;;
    cgroup)
      [ -n "$cgroups" ] || { echo 'it needs cgroups of version 2, which are not mounted' >&2; return 1; }
      made_cgroup=$cgroups/wasm-bpf-library-$$
      mkdir "$made_cgroup" "$output/cgroup" || return 1
      # Elsewhere too: a network namespace has a /sys of its own.
      apart=${apart:--m}
      before="mount --bind $made_cgroup $output/cgroup && $before"
      options+=(--dir "$output/cgroup::/cgroup" --env "CGROUP=$made_cgroup") ;;
    kernel=*)
      [ "$(printf '%s\n' "${word#*=}" "$(uname -r)" | sort -V | head -n 1)" = "${word#*=}" ] ||
        { echo "it needs Linux ${word#*=}"; return 77; } ;;
    vm)
      [ -n "${WASM_BPF_KERNEL:-}" ] || { echo 'it needs a kernel of tests/kernels'; return 77; } ;;
    target)
      start_target || return 1
      options+=(--dir "$output/target::/target" --env "TARGET_PID=$target_pid") ;;
    *) options+=("$word") ;;
    esac
  done
  read -ra arguments <<<"$(wanted "$source" arguments)"
  expected=$(wanted "$source" exits)

  [ -z "$apart" ] || around=(unshare "$apart")
  # Mounts and interfaces are the test's own and go with it.
  # shellcheck disable=SC2016
  local command=(timeout 60 "${around[@]}" sh -c "$before"'echo $$ >"$PID_FILE"; exec "$@"' sh "$WASM_BPF" run "${options[@]}" "$component" "${arguments[@]}")
  export PID_FILE=$output/pid
  stopped=$(wanted "$source" stopped)
  if [ -n "$stopped" ]; then
    [ -p "$output/input" ] || mkfifo "$output/input"
    # Open for writing, too: its end never comes.
    exec 3<>"$output/input"
    if [ -n "$full" ]; then
      "${command[@]}" <&3 >&3 &
    else
      "${command[@]}" <&3 &
    fi
    exec 3>&-
    for _ in $(seq 200); do
      ! grep -qx ready "$output/$name" || break
      sleep 0.05
    done
    # A moment, so that it waits.
    sleep 0.1
    kill "-$stopped" "$(cat "$PID_FILE")" || code=1
    wait $! || code=$?
  elif [ -n "$closed" ]; then
    "${command[@]}" </dev/null > >(:) || code=$?
  else
    "${command[@]}" </dev/null || code=$?
  fi
  if [ -n "$target_pid" ]; then
    kill "$target_pid" && wait "$target_pid" 2>/dev/null
    target_pid=
  fi
  if [ -n "$made_cgroup" ]; then
    # Also what a test that failed has left in it.
    rmdir "$output/cgroup"
    find "$made_cgroup" -depth -type d -exec rmdir {} + || { echo "$made_cgroup is still in use" >&2; code=1; }
  fi
  said=$(wanted "$source" says)
  [ -z "$said" ] || grep -qF -- "$said" "$output/$name" || { echo "it did not say '$said'" >&2; return 1; }
  [ "$code" = "${expected:-0}" ] || { echo "exit code $code, not ${expected:-0}" >&2; return 1; }
}

left_out=0
for name in "${names[@]}"; do
  code=0
  run_one "$name" >"$output/$name" 2>&1 || code=$?
  if [ $code = 0 ]; then
    printf 'PASS %s\n' "$name"
    [ -z "$verbose" ] || sed 's/^/    /' "$output/$name"
  elif [ $code = 77 ]; then
    printf 'SKIP %s: %s\n' "$name" "$(cat "$output/$name")"
    left_out=$((left_out + 1))
  else
    printf 'FAIL %s\n' "$name"
    sed 's/^/    /' "$output/$name"
    failed+=("$name")
  fi
done
printf '%s of %s passed, %s left out\n' "$((${#names[@]} - ${#failed[@]} - left_out))" "${#names[@]}" "$left_out"
[ ${#failed[@]} = 0 ] || { printf 'failed: %s\n' "${failed[*]}"; exit 1; }
