#!/usr/bin/env bash
# The Debian package from its making to its purge: built, judged by lintian and systemd-analyze, installed by apt into a
# Debian 12 that has nothing else, started there as the unit starts it, with a broker, a simulated rack and one job,
# upgraded, removed, purged.
#   package_test.sh [BUILD]   BUILD: what `cmake --preset release` configured (build)
# Needs root. Everything runs in a network of its own, so that the ports are those of the documentation.
set -euo pipefail

source_dir=$(cd "$(dirname "$0")/.." && pwd)
build=$(realpath "${1:-$source_dir/build}")
. "$source_dir/tests/support/base_system.sh"
as_root_or_exec "$@"
need_programs lintian systemd-analyze dpkg-deb ip nsenter unshare

max_exposure=25  # in tenths
limit_s=60
job_limit_s=120
unit=/lib/systemd/system/dfota-gateway.service
configuration=/etc/dfota-gateway/gateway.toml
state=/var/lib/dfota-gateway
from=UC20GQBR03A11E1G
to=UC20GQBR03A12E1G

say() { echo "package_test: $* (${SECONDS} s)"; }
quietly() { "$@" >"$work/quiet.log" 2>&1 || { tail -n 40 "$work/quiet.log" >&2; fail "$*"; }; }
same() {  # WHAT IS WANTED
  [[ $2 == "$3" ]] || fail "$1 is $2, and should be $3"
}

make_package() {
  say "making the package"
  local made owner as_owner=()
  owner=$(stat -c %U "$build")  # nothing of root's is left in somebody's build
  [[ $owner == root ]] || as_owner=(runuser -u "$owner" --)
  "${as_owner[@]}" cmake --build "$build" --target package >"$work/package.log" 2>&1 || { tail -n 40 "$work/package.log" >&2; fail "no package"; }
  made=$(sed -n 's/^CPack: - package: \(.*\.deb\) generated\.$/\1/p' "$work/package.log")
  same "the package" "$(basename "$made")" "dfota-gateway_${version}_$(dpkg --print-architecture).deb"
  deb=$root/root/$(basename "$made")
  cp "$made" "$deb"
  say "$(basename "$made"): $(stat -c %s "$deb") bytes, installed $(dpkg-deb -f "$deb" Installed-Size) KiB; $(dpkg-deb -f "$deb" Depends)"
  lintian --allow-root --fail-on error --tag-display-limit 0 "$deb" || fail "lintian has found errors"
}

check_unit() {
  say "the unit"
  systemd-analyze verify --man=no --recursive-errors=no "$root$unit" 2>"$work/verify.log" || true
  # Of what it says, the program that this machine does not have is none of the unit's.
  if grep -v 'Command /usr/bin/dfota-gateway is not executable' "$work/verify.log"; then fail "systemd-analyze verify"; fi
  systemd-analyze security --offline=true --threshold=$max_exposure --no-pager "$root$unit" >"$work/security.log" ||
    { cat "$work/security.log"; fail "the unit is too open"; }
  grep 'Overall exposure' "$work/security.log"
}

install_package() {
  say "installing"
  quietly in_chroot apt-get -q update
  quietly in_chroot apt-get -q -y --no-install-recommends install "/root/$(basename "$deb")" mosquitto bash-completion
}

mode_of() { in_chroot stat -c '%U:%G %a' "$1"; }

check_installed() {
  say "what is installed"
  same "the package's state" "$(in_chroot dpkg-query -W -f '${db:Status-Status}' dfota-gateway)" installed
  same "the user" "$(in_chroot getent passwd dfota-gateway | cut -d: -f6,7)" "$state:/usr/sbin/nologin"
  same "$state" "$(mode_of $state)" "dfota-gateway:dfota-gateway 710"
  same "$state/incoming" "$(mode_of $state/incoming)" "dfota-gateway:dfota-gateway 2770"
  same "/etc/dfota-gateway" "$(mode_of /etc/dfota-gateway)" "root:dfota-gateway 750"
  same "$configuration" "$(mode_of $configuration)" "root:root 644"
  in_chroot dpkg-query -W -f '${Conffiles}' dfota-gateway | grep -q "^ $configuration " || fail "$configuration is no conffile"
  in_chroot test -L /etc/systemd/system/multi-user.target.wants/dfota-gateway.service || fail "the service is not enabled"
  local file
  for file in /lib/udev/rules.d/77-dfota-gateway.rules /usr/share/polkit-1/rules.d/77-dfota-gateway.rules \
    /usr/share/dbus-1/system.d/dfota-gateway.conf \
    /usr/share/man/man8/dfota-gateway.8.gz /usr/share/man/man1/dfota.1.gz /usr/share/man/man1/dfota-rack.1.gz \
    /usr/share/doc/dfota-gateway/README.md /usr/share/doc/dfota-gateway/copyright; do
    in_chroot test -s "$file" || fail "$file is missing"
  done
  in_chroot bash -c '. /usr/share/bash-completion/bash_completion && _completion_loader dfota; complete -p dfota' >/dev/null ||
    fail "no completion of dfota"
  same "dfota-gateway --version" "$(in_chroot dfota-gateway --version)" "dfota-gateway $version"
  as_service dfota-gateway --config "$configuration" --check >/dev/null || fail "the configuration as installed"
}

# As the unit says: its user, its groups.
as_user=(setpriv --reuid dfota-gateway --regid dfota-gateway --groups dialout --no-new-privs)
as_service() { in_chroot "${as_user[@]}" "$@"; }

declare -A pids=()
start() {  # NAME COMMAND...
  local name=$1
  shift
  nsenter --net="/proc/$network/ns/net" "${chroot_words[@]}" "$root" "$@" >"$work/$name.log" 2>&1 </dev/null &
  pids[$name]=$!
}
wait_for() {  # NAME WHAT COMMAND...
  local name=$1 what=$2 end=$((SECONDS + limit_s))
  shift 2
  until "$@"; do
    if ! kill -0 "${pids[$name]}" 2>/dev/null || ((SECONDS >= end)); then cat "$work/$name.log" >&2; fail "$name: $what"; fi
    sleep 0.1
  done
}
says() { grep -q "$2" "$work/$1.log"; }
there() { [[ -e $root$1 ]]; }
stop() {  # NAME
  local ended=0
  kill "${pids[$1]}"
  wait "${pids[$1]}" || ended=$?
  unset "pids[$1]"
  ((ended == 0)) || { cat "$work/$1.log" >&2; fail "$1 ended $ended"; }
}
client() {
  nsenter --net="/proc/$network/ns/net" "${chroot_words[@]}" "$root" runuser -u engineer -- \
    timeout $job_limit_s dfota --broker mqtt://127.0.0.1:1883 --gateway rack-1 "$@"
}

# ExecStart= of the unit as it was installed.
start_gateway() {
  local line words
  line=$(sed -n 's/^ExecStart=//p' "$root$unit")
  read -r -a words <<<"$line"
  start gateway "${as_user[@]}" "${words[@]}"
  wait_for gateway "did not start" says gateway "gateway rack-1 "
}

run_as_installed() {
  say "as installed"
  start_gateway
  says gateway "there is no \[\[module\]\]" || fail "the empty rack is not told"
  stop gateway
}

run_a_job() {
  say "one job"
  start broker mosquitto
  in_chroot install -d -o dfota-gateway /srv/rack
  start rack "${as_user[@]}" dfota-rack --dir /srv/rack --log /srv/rack/log.jsonl --count 2 --speed 20 --model UC20 --version $from
  wait_for rack "no ports" there /srv/rack/m1
  printf '\n[[module]]\nid = "m%d"\nport = "/srv/rack/m%d"\n' 0 0 1 1 >>"$root$configuration"
  start_gateway
  # An engineer of the group may put a delta there; nobody else may look into the state.
  in_chroot useradd --create-home --groups dfota-gateway engineer
  in_chroot runuser -u engineer -- dfota-rack --make-delta /home/engineer/delta.bin --from $from --to $to --size 65536 >/dev/null
  client artifact add /home/engineer/delta.bin --model UC20 --from $from --to $to
  client update --artifact delta.bin --from $from --to $to --modules all --job first
  if in_chroot runuser -u engineer -- cat "$state/journal.db" >/dev/null 2>&1; then fail "the journal is open to the group"; fi
  stop gateway
}

upgrade() {
  say "upgrading"
  local newer=$version+next changed
  dpkg-deb -R "$deb" "$work/newer"
  sed -i "s/^Version: .*/Version: $newer/" "$work/newer/DEBIAN/control"
  dpkg-deb --root-owner-group -b "$work/newer" "$root/root/newer.deb" >/dev/null
  changed=$(md5sum <"$root$configuration")
  in_chroot chmod 0700 /etc/dfota-gateway
  quietly in_chroot apt-get -q -y install /root/newer.deb
  same "the version" "$(in_chroot dpkg-query -W -f '${Version}' dfota-gateway)" "$newer"
  same "the changed configuration" "$(md5sum <"$root$configuration")" "$changed"
  same "/etc/dfota-gateway as the administrator left it" "$(mode_of /etc/dfota-gateway)" "root:dfota-gateway 700"
  in_chroot chmod 0750 /etc/dfota-gateway
  start_gateway
  client watch first | tail -n 1
  stop gateway
  stop rack
  stop broker
}

# What bears its name, but for the logs and caches of apt and dpkg, and what this test has put there.
leftovers() {
  in_chroot find / -xdev \( -path /proc -o -path /dev -o -path /root -o -path /srv -o -path /home -o -path /tmp -o -path /var/log \
    -o -path /var/cache \) -prune -o -name '*dfota*' -print
}

remove() {
  say "removing"
  quietly in_chroot apt-get -q -y remove dfota-gateway
  there "$unit" && fail "the unit is left"
  there /usr/bin/dfota && fail "a program is left"
  there "$configuration" || fail "the configuration went with the removal"
  there "$state/journal.db" || fail "the state went with the removal"
  say "purging"
  quietly in_chroot apt-get -q -y purge dfota-gateway
  same "what is left" "$(leftovers)" ""
}

version=$(sed -n 's/^project(dfota-gateway VERSION \([0-9.]*\).*/\1/p' "$source_dir/CMakeLists.txt")
open_base_system
unshare --net sleep infinity &
network=$!
before_close() { kill "$network" 2>/dev/null || true; }
until [[ $(readlink "/proc/$network/ns/net") != "$(readlink /proc/self/ns/net)" ]]; do sleep 0.05; done
nsenter --net="/proc/$network/ns/net" ip link set lo up

make_package
install_package
check_unit
check_installed
run_as_installed
run_a_job
upgrade
remove
say "passed"
