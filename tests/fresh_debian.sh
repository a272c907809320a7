#!/usr/bin/env bash
# The demo on a Debian 12 with nothing on it: a minimal system from debootstrap, a clone of this repository, scripts/demo.
# With FRESH_DEBIAN_TESTS=1 also scripts/test. Needs root. Packages come from where this machine gets its own: its apt
# sources, proxies and keys are taken over. The base system is kept in the cache directory, so a second run starts at once.
set -euo pipefail
export LC_ALL=C

demo_limit_s=1200
tests_limit_s=2400
base_max_age_days=30

source_dir=$(cd "$(dirname "$0")/.." && pwd)
suite=bookworm

if ((EUID != 0)); then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    exec sudo -n env FRESH_DEBIAN_TESTS="${FRESH_DEBIAN_TESTS:-}" "$0" "$@"
  fi
  echo "fresh_debian: needs root" >&2
  exit 1
fi
for program in debootstrap git tar; do
  command -v "$program" >/dev/null || { echo "fresh_debian: $program is missing; scripts/setup --all installs it" >&2; exit 1; }
done

cache=${XDG_CACHE_HOME:-$HOME/.cache}/dfota-fresh-debian
base=$cache/$suite-$(dpkg --print-architecture).tar
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9  # one at a time: two of them would make the base together
work=$(mktemp -d "${TMPDIR:-/tmp}/fresh-debian.XXXXXX")
root=$work/root
mkdir "$root"

in_chroot() {
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C TERM=dumb \
    "${proxies[@]}" chroot "$root" "$@"
}

# A process that still lives in the chroot keeps its mounts busy. Found by its root directory, ended by its id.
end_processes() {
  local process pid
  for process in /proc/[0-9]*; do
    pid=${process#/proc/}
    if [[ $(readlink "$process/root" 2>/dev/null || true) == "$root"* ]]; then kill -"$1" "$pid" 2>/dev/null || true; fi
  done
}

clean_up() {
  local status=$? place
  trap - EXIT INT TERM
  end_processes TERM
  sleep 0.5
  end_processes KILL
  for place in dev/pts dev/shm dev proc; do
    if mountpoint -q "$root/$place"; then umount "$root/$place" || umount -l "$root/$place" || true; fi
  done
  # Never follow a mount that could not be undone into this machine's own /dev or /proc.
  rm -rf --one-file-system "$work" || true
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

proxies=()
for variable in http_proxy https_proxy ftp_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
  [[ -z ${!variable:-} ]] || proxies+=("$variable=${!variable}")
done

# The first Debian archive that this machine's apt uses for the suite.
mirror() {
  # shellcheck disable=SC2016  # the names are apt's
  apt-get indextargets --format '$(SITE) $(CODENAME) $(RELEASE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk -v suite="$suite" '$2 == suite || $3 == suite { print $NF; exit }'
}

make_base() {
  local uri
  uri=$(mirror)
  if [[ -z $uri ]]; then
    echo "fresh_debian: apt of this machine names no archive of $suite" >&2
    return 1
  fi
  echo "fresh_debian: making the base system of $suite"
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$uri" >"$work/debootstrap.log" 2>&1 ||
    { tail -20 "$work/debootstrap.log" >&2; return 1; }
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  tar -C "$root" --numeric-owner -cf "$base.new" .
  mv "$base.new" "$base"
}

if [[ -f $base && -n $(find "$base" -mtime -$base_max_age_days) ]]; then
  tar -C "$root" --numeric-owner -xf "$base"
else
  make_base
fi

# Where packages come from and by which way, as on this machine; other people's archives stay outside.
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
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
cp -L /etc/hosts "$root/etc/hosts"

# No service starts in a chroot.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"

mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount --bind /dev/pts "$root/dev/pts"
if mountpoint -q /dev/shm; then mount --bind /dev/shm "$root/dev/shm"; fi

git -c safe.directory='*' clone -q --no-hardlinks "$source_dir" "$root/root/dfota-gateway"
# Changes of tracked files that are not committed yet are tried, too.
git -c safe.directory='*' -C "$source_dir" diff --binary HEAD >"$work/changes"
if [[ -s $work/changes ]]; then git -C "$root/root/dfota-gateway" apply "$work/changes"; fi

run() {  # LIMIT_S SCRIPT
  local started=$SECONDS
  echo "fresh_debian: $2"
  in_chroot timeout --kill-after=30 "$1" "/root/dfota-gateway/$2" </dev/null
  echo "fresh_debian: $2 ended 0 after $((SECONDS - started)) s"
}
run "$demo_limit_s" scripts/demo
if [[ ${FRESH_DEBIAN_TESTS:-} == 1 ]]; then run "$tests_limit_s" scripts/test; fi
