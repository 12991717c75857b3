# shellcheck shell=bash
# The kernels there are and where each is kept. Sourced by the scripts here.

# Name, and the Debian release whose kernel it is.
KERNELS='
5.10    bullseye
6.1     bookworm
6.12    trixie
newest  trixie-backports
'

# shellcheck disable=SC2034 # the scripts use it
KERNELS_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/wasm-bpf/kernels

kernel_names() { awk 'NF { print $1 }' <<<"$KERNELS"; }

# Prints nothing and fails for a name that is not in the table.
kernel_release() { awk -v name="$1" '$1 == name { print $2; found = 1 } END { exit !found }' <<<"$KERNELS"; }
