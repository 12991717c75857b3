#!/usr/bin/env bash
# Sourced by scripts that take packages from the package sources of this system, without root and without installing them.
# apt with package lists of its own: always fresh, and the machine's lists and locks stay as they are.
#
# WORK must name a directory for what is temporary.

# apt_state NAME OPTION... sets APT to the options for such a state.
apt_state() {
  local d=$WORK/apt-$1
  shift
  mkdir -p "$d/lists/partial" "$d/cache/archives/partial" "$WORK/debs"
  APT=(-q
    -o "Dir::State=$d" -o "Dir::State::lists=$d/lists" -o Dir::State::status=/var/lib/dpkg/status
    -o "Dir::Cache=$d/cache" -o "Dir::Cache::archives=$d/cache/archives"
    -o "Dir::Cache::pkgcache=$d/cache/pkg.bin" -o "Dir::Cache::srcpkgcache=$d/cache/src.bin"
    -o Debug::NoLocking=true -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3
    "$@")
}

# apt_other_suite SUITE: a state with this suite of the Debian mirror that the machine uses already, and nothing else. Needs the
# state of the system to be set.
apt_other_suite() {
  local mirror
  # shellcheck disable=SC2016 # apt-get expands these
  mirror=$(apt-get "${APT[@]}" indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' |
    sed -n 's/^Debian|Debian|//p' | sort -u | sed -n 1p)
  [ -n "$mirror" ] || { echo "no Debian mirror among this system's package sources" >&2; return 1; }
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main" >"$WORK/$1.list"
  apt_state "$1" -o "Dir::Etc::sourcelist=$WORK/$1.list" -o Dir::Etc::sourceparts=- \
    -o Dir::Etc::preferences=- -o Dir::Etc::preferencesparts=-
  update || { echo "could not read the package list of $1 (package debian-archive-keyring up to date?)" >&2; return 1; }
}

update() { apt-get "${APT[@]}" -q update </dev/null >"$WORK/log" 2>&1 || { cat "$WORK/log" >&2; return 1; }; }
# Into $WORK/debs.
download() { (cd "$WORK/debs" && apt-get "${APT[@]}" -q download "$@" </dev/null >"$WORK/log" 2>&1) || { cat "$WORK/log" >&2; return 1; }; }
candidate() { apt-cache "${APT[@]}" policy "$1" | sed -n 's/^  Candidate: //p' | grep -v '^(none)$' || true; }
