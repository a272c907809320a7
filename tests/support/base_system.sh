# shellcheck shell=bash
# A minimal Debian 12 to try things in, for the tests labelled `base`; sourced by them, with `set -euo pipefail`.
#   as_root_or_exec "$@"   first of all: starts the script again with sudo where it does not run as root
#   base_tar               makes the base system where there is none that is new enough, and prints the path of its tar
#   open_base_system       a fresh copy of it in $root, with this machine's apt sources, /dev and /proc; $work is beside
#                          it. Both go when the script ends, however it does, with every process that still lives there
#   in_chroot COMMAND...   in it, as root, with an environment of its own
# Packages come from where this machine gets its own: its apt sources, proxies and keys are taken over. The tar is kept
# in the cache directory, so that a second run starts at once.
export LC_ALL=C

suite=bookworm
base_max_age_days=30
test_name=$(basename "$0" .sh)

fail() { echo "$test_name: $*" >&2; exit 1; }

as_root_or_exec() {
  local kept=() variable
  ((EUID != 0)) || return 0
  if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then fail "needs root"; fi
  for variable in FRESH_DEBIAN_TESTS XDG_CACHE_HOME; do
    [[ -z ${!variable:-} ]] || kept+=("$variable=${!variable}")
  done
  exec sudo -n env "${kept[@]}" "$0" "$@"
}

need_programs() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || fail "$program is missing; scripts/setup --all installs it"
  done
}

proxies=()
for variable in http_proxy https_proxy ftp_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
  [[ -z ${!variable:-} ]] || proxies+=("$variable=${!variable}")
done

# In front of a command to start, where its process id must be that of $!.
chroot_words=(env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C TERM=dumb
  DEBIAN_FRONTEND=noninteractive "${proxies[@]}" chroot)
in_chroot() { "${chroot_words[@]}" "$root" "$@"; }

# The first Debian archive that this machine's apt uses for the suite.
base_mirror() {
  # shellcheck disable=SC2016  # the names are apt's
  apt-get indextargets --format '$(SITE) $(CODENAME) $(RELEASE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk -v suite="$suite" '$2 == suite || $3 == suite { print $NF; exit }'
}

base_tar() {
  local cache tar uri made
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/dfota-fresh-debian
  tar=$cache/$suite-$(dpkg --print-architecture).tar
  mkdir -p "$cache"
  (
    flock 9  # two of them would make it together
    [[ ! -f $tar || -z $(find "$tar" -mtime -$base_max_age_days) ]] || exit 0
    uri=$(base_mirror)
    [[ -n $uri ]] || fail "apt of this machine names no archive of $suite"
    echo "$test_name: making the base system of $suite" >&2
    made=$(mktemp -d "${TMPDIR:-/tmp}/base-system.XXXXXX")
    trap 'rm -rf --one-file-system "$made"' EXIT
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$made/root" "$uri" >"$made/log" 2>&1 ||
      { tail -20 "$made/log" >&2; exit 1; }
    rm -rf "$made"/root/var/cache/apt/archives/*.deb "$made"/root/var/lib/apt/lists/*
    tar -C "$made/root" --numeric-owner -cf "$tar.new" .
    mv "$tar.new" "$tar"
  ) 9>"$cache/lock" || return 1
  echo "$tar"
}

# A process that still lives in the chroot keeps its mounts busy. Found by its root directory, ended by its id.
end_base_processes() {
  local process pid
  for process in /proc/[0-9]*; do
    pid=${process#/proc/}
    if [[ $(readlink "$process/root" 2>/dev/null || true) == "$root"* ]]; then kill -"$1" "$pid" 2>/dev/null || true; fi
  done
}

before_close() { :; }  # a test may have something of its own to end
close_base_system() {
  local status=$? place
  trap - EXIT INT TERM
  before_close
  end_base_processes TERM
  sleep 0.5
  end_base_processes KILL
  for place in dev/pts dev/shm dev proc; do
    if mountpoint -q "$root/$place"; then umount "$root/$place" || umount -l "$root/$place" || true; fi
  done
  # Never follow a mount that could not be undone into this machine's own /dev or /proc.
  rm -rf --one-file-system "$work" || true
  exit "$status"
}

# Where packages come from and by which way, as on this machine; other people's archives stay outside.
take_over_apt() {
  local file place
  rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d
  mkdir -p "$root/etc/apt/sources.list.d" "$root/usr/share/keyrings"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    if [[ -f $file ]] && grep -Eq "(^|[[:space:]])$suite([[:space:]]|\$)" "$file"; then cp "$file" "$root$file"; fi
  done
  apt-config dump Acquire >"$root/etc/apt/apt.conf.d/90acquire"
  for place in /etc/apt/trusted.gpg.d /etc/apt/auth.conf /etc/apt/auth.conf.d /etc/apt/keyrings; do
    [[ ! -e $place ]] || cp -a "$place" "$root/etc/apt/"
  done
  cp -a /usr/share/keyrings/. "$root/usr/share/keyrings/"
  if [[ -d /usr/local/share/ca-certificates ]]; then
    cp -a /usr/local/share/ca-certificates "$root/usr/local/share/"
    in_chroot update-ca-certificates >/dev/null 2>&1
  fi
}

open_base_system() {
  local tar
  need_programs debootstrap tar
  tar=$(base_tar)
  work=$(mktemp -d "${TMPDIR:-/tmp}/$test_name.XXXXXX")
  root=$work/root
  mkdir "$root"
  trap close_base_system EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  tar -C "$root" --numeric-owner -xf "$tar"
  take_over_apt
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  cp -L /etc/hosts "$root/etc/hosts"
  # No service starts in a chroot.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  mount -t proc proc "$root/proc"
  mount --bind /dev "$root/dev"
  mount --bind /dev/pts "$root/dev/pts"
  if mountpoint -q /dev/shm; then mount --bind /dev/shm "$root/dev/shm"; fi
}
