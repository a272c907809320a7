#!/usr/bin/env bash
# ModemManager as Debian has it, on a bus of its own: tests/integration/modem_manager_test.cpp with the real one.
#   modem_manager.sh BUILD_DIR
# It is downloaded into the cache directory, not installed: an installed one would take this machine's modems.
set -euo pipefail
export LC_ALL=C

build=$(cd "${1:?BUILD_DIR}" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/dfota-modem-manager
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
version=$(apt-cache policy modemmanager | sed -n 's/^ *Candidate: *//p')
root=$cache/$version
if [[ ! -x $root/usr/sbin/ModemManager ]]; then
  work=$(mktemp -d "$cache/work.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  # With its libraries, but those that Chromium brings (scripts/setup --all).
  (cd "$work" && apt-get -q download modemmanager libmm-glib0 libqmi-glib5 libmbim-glib4 libqrtr-glib0 libgudev-1.0-0 \
    libpolkit-gobject-1-0)
  for package in "$work"/*.deb; do dpkg -x "$package" "$work/root"; done
  rm -rf "$root"
  mv "$work/root" "$root"
fi
libraries=$(echo "$root"/usr/lib/*-linux-gnu)
DFOTA_MODEM_MANAGER=$root DFOTA_MODEM_MANAGER_LIBRARIES=$libraries \
  "$build/integration_modem_manager_test" --no-skip "--test-case=*the real one*"
