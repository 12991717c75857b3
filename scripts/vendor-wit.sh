#!/usr/bin/env bash
# Usage: scripts/vendor-wit.sh          puts the WASI packages that wit/ refers to into wit/deps
#        scripts/vendor-wit.sh --check  changes nothing; shows a diff and fails if that would change something
#
# They come from the wasmtime-wasi crate that Cargo.lock names, so that wit/ says exactly what the host implements.
set -euo pipefail
cd "$(dirname "$0")/.."

PACKAGES=(cli clocks filesystem io random sockets)

die() { printf 'vendor-wit: %s\n' "$*" >&2; exit 1; }

# `cargo metadata` prints one line of JSON. Of each package it gives the name (followed by the version, unlike the names
# of targets and dependencies) before the path of the manifest.
crate_dir() {
  cargo metadata --format-version 1 --locked --color never |
    grep -oE '"name":"[^"]*","version":"|"manifest_path":"[^"]*"' |
    awk -F'"' -v name="$1" '$2 == "name" { this = $4 } $2 == "manifest_path" && this == name { sub("/Cargo.toml$", "", $4); print $4 }'
}

dir=$(crate_dir wasmtime-wasi) || die "could not read the list of dependencies"
[ -n "$dir" ] || die "wasmtime-wasi is not among the dependencies"
[ "$(wc -l <<<"$dir")" = 1 ] || die "wasmtime-wasi is among the dependencies more than once"
from=$dir/src/p2/wit/deps

new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
for package in "${PACKAGES[@]}"; do
  [ -e "$from/$package.wit" ] || die "wasmtime-wasi has no $package.wit any more (looked in its src/p2/wit/deps)"
  install -m 644 "$from/$package.wit" "$new/"
done

case ${1:-} in
'')
  mkdir -p wit
  rm -rf wit/deps
  cp -r "$new" wit/deps
  chmod 755 wit/deps
  printf 'vendor-wit: wit/deps holds %s of %s\n' "${PACKAGES[*]}" "${dir##*/}" >&2
  ;;
--check)
  diff -ruN wit/deps "$new" || die "wit/deps is not what wasmtime-wasi has; run: make wit-deps"
  ;;
*) die "unknown argument '$1'" ;;
esac
