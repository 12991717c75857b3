#!/usr/bin/env bash
# Usage: tests/faults/run.sh [NAME...]
#
# Puts deliberate faults into the host, one at a time, and demands that the conformance suite catches each. A fault is a
# file here, NAME.patch: a line `Fault:` that says what is wrong, a line `Cases:` with the cases that are run for it
# (patterns, as `conformance run --cases` takes them), then a diff. `make faults` builds what this needs and calls it.
#
# A fault is caught if the run with it ends with "cases failed" and one of them failed by what the guest asserts or the
# runner looks at. All the cases pass with the host as it is, or nothing is proved; the host with the fault has to pass
# one case that the fault does not touch, so that it is not just broken. A fault whose cases this kernel cannot run is
# not tried, and the table says so.
#
# A new fault: change the host, `git diff -U2 host`, two header lines, and the change undone. Guests run with it as root:
# it must neither touch memory that is not the host's nor allow what harms the machine. What it leaks goes with the
# process.
#
# Environment: WASM_BPF (the host as it is), CONFORMANCE (the runner), COMPONENTS (build/conformance), and
# FAULTS_TARGET_DIR: where faulty hosts are built. That is no directory that others run a host from, since an
# interrupted run would leave a faulty one there, and cargo, which goes by the time of files, would take it for good.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=${CARGO_TARGET_DIR:-$PWD/target}
host=${WASM_BPF:-$target/debug/wasm-bpf}
conformance=${CONFORMANCE:-$target/debug/conformance}
components=${COMPONENTS:-build/conformance}
faults_target=${FAULTS_TARGET_DIR:-$target/faults}
# Needs nothing but a host that runs components.
HARMLESS=lifecycle/returned

say() { printf '==> %s\n' "$*" >&2; }
die() {
  printf 'faults: %s\n' "$*" >&2
  exit 1
}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tree=$dir/tree
# The copy may lie inside of some repository, where `git apply` would silently pass over files that are not in that.
export GIT_CEILING_DIRECTORIES=$dir

header() { sed -n "/^diff\|^---/q; s/^$2: *//p" "tests/faults/$1.patch"; }
# run HOST LOG CASE...: with the runner and the components as they are
run() {
  local host=$1 log=$2 pattern chosen=()
  shift 2
  for pattern; do chosen+=(--cases "$pattern"); done
  "$conformance" run --host "$host run {grants} {limits} {dirs} {component} {args}" --components "$components" \
    "${chosen[@]}" >"$log" 2>&1
}
# Cases that failed by what the guest or the runner saw, in one line. A wrong end is no more than that of a host that could
# not even begin, unless the guest had said something.
caught_by() {
  awk '
    /^FAILED / { name = $2; next }
    /^[^ ]/ { name = "" }
    name == "" { next }
    /panicked at .*guest\.rs:/ || /^ +(left in the kernel|it did not end in time|it went on after|after the host has ended)/ ||
      /^ +the guest asked: .* (in the kernel|came out as|has)/ { seen[name] = 1 }
    /^ +it ended with exit code/ { ended[name] = 1 }
    /^ +\| [>=] / && name in ended { seen[name] = 1 }
    name in seen && !(name in told) { told[name] = 1; line = line (line == "" ? "" : ", ") name }
    END { print line }' "$1"
}

names=("$@")
if [ ${#names[@]} = 0 ]; then
  for file in tests/faults/*.patch; do names+=("$(basename "$file" .patch)"); done
fi
all=()
for name in "${names[@]}"; do
  [ -e "tests/faults/$name.patch" ] || die "there is no fault $name; there are: $(cd tests/faults && echo *.patch)"
  read -ra cases <<<"$(header "$name" Cases)"
  if [ ${#cases[@]} = 0 ] || [ -z "$(header "$name" Fault)" ]; then die "$name.patch lacks the line Fault: or Cases:"; fi
  # One by one: a pattern that no case has must not hide among others.
  for pattern in "${cases[@]}"; do
    "$conformance" list --cases "$pattern" >/dev/null || die "$name: there is no case $pattern"
  done
  all+=("${cases[@]}")
  git apply --check "tests/faults/$name.patch" || die "$name does not apply any more"
done

say "the host as it is has to pass all cases"
run "$host" "$dir/good" "$HARMLESS" "${all[@]}" || {
  cat "$dir/good" >&2
  die "the host fails without any fault"
}
tail -n 1 "$dir/good" >&2
# can_run CASE...: whether this kernel runs one of them
can_run() {
  local pattern chosen=()
  for pattern; do chosen+=(--cases "$pattern"); done
  "$conformance" list "${chosen[@]}" | awk '{ print $1 }' >"$dir/chosen"
  awk '/^ok / { print $2 }' "$dir/good" | grep -qxFf "$dir/chosen"
}

mkdir -p "$faults_target"
exec 9>"$faults_target/lock"
flock 9
# Dependencies take many minutes to compile and are the same. Cargo replaces libraries by new files, so that links to them
# do no harm; what it writes in place is copied. Our own crates are left out.
if [ ! -d "$faults_target/debug" ] && [ -d "$target/debug/deps" ]; then
  say "taking over compiled dependencies into $faults_target"
  new=$faults_target/new
  rm -rf "$new"
  mkdir -p "$new/debug/deps"
  cp -a "$target/debug/.fingerprint" "$target/debug/build" "$new/debug/"
  libraries=(-maxdepth 1 -type f '(' -name '*.rlib' -o -name '*.rmeta' -o -name '*.so' ')')
  find "$target/debug/deps" "${libraries[@]}" -exec cp -pl -t "$new/debug/deps" {} + 2>/dev/null ||
    find "$target/debug/deps" "${libraries[@]}" -exec cp -p -t "$new/debug/deps" {} +
  find "$target/debug/deps" -maxdepth 1 -type f -name '*.d' -exec cp -p -t "$new/debug/deps" {} +
  cargo clean --quiet --workspace --target-dir "$new"
  mv "$new/debug" "$faults_target/debug"
  rm -rf "$new"
fi

mkdir "$tree"
git ls-files -zco --exclude-standard |
  while IFS= read -r -d '' file; do if [ -e "$file" ]; then printf '%s\0' "$file"; fi; done |
  tar --null --files-from=- -cf - | tar -xf - -C "$tree"
# The last host that was built there may have had a fault: for cargo all sources are newer than that.
find "$tree/host" -type f -exec touch {} +

# build HOST: the host of the copy. With the runner, as `make conformance` does: alone its dependencies would have other
# features and be compiled again.
build() {
  (cd "$tree" && CARGO_TARGET_DIR=$faults_target nice cargo build --quiet --locked \
    -p wasm-bpf-host -p wasm-bpf-conformance --bins) || return 1
  # A link would be overwritten by the next one.
  rm -f "$1"
  cp "$faults_target/debug/wasm-bpf" "$1"
}

table=() failed=0
for name in "${names[@]}"; do
  start=$SECONDS
  read -ra cases <<<"$(header "$name" Cases)"
  say "$name: $(header "$name" Fault)"
  if ! can_run "${cases[@]}"; then
    table+=("$name|not tried: this kernel cannot run its cases|")
    continue
  fi
  git -C "$tree" apply "$PWD/tests/faults/$name.patch" || die "$name does not apply any more"
  build "$dir/wasm-bpf" || die "$name does not compile any more"
  git -C "$tree" apply -R "$PWD/tests/faults/$name.patch"
  run "$dir/wasm-bpf" "$dir/harmless" "$HARMLESS" || {
    cat "$dir/harmless" >&2
    die "with $name the host is just broken: it does not even pass $HARMLESS"
  }
  status=0
  run "$dir/wasm-bpf" "$dir/log" "${cases[@]}" || status=$?
  by=$(caught_by "$dir/log")
  if [ $status != 1 ] || [ -z "$by" ]; then
    cat "$dir/log" >&2
    by="NOT CAUGHT (the runner's exit status was $status)"
    failed=$((failed + 1))
  fi
  table+=("$name|$by|$((SECONDS - start))")
done

width=0
for row in "${table[@]}"; do
  name=${row%%|*}
  if [ ${#name} -gt "$width" ]; then width=${#name}; fi
done
printf "\n%-${width}s  seconds  caught by\n" fault
for row in "${table[@]}"; do
  IFS='|' read -r name by seconds <<<"$row"
  printf "%-${width}s  %7s  %s\n" "$name" "$seconds" "$by"
done
printf '\n%d faults, %d not caught\n' ${#table[@]} $failed
[ $failed = 0 ]
