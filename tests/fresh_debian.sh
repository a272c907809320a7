#!/usr/bin/env bash
# The demo on a Debian 12 with nothing on it: a minimal system from debootstrap, a clone of this repository, scripts/demo.
# With FRESH_DEBIAN_TESTS=1 also scripts/test. Needs root.
set -euo pipefail

demo_limit_s=1200
tests_limit_s=2400

source_dir=$(cd "$(dirname "$0")/.." && pwd)
. "$source_dir/tests/support/base_system.sh"
as_root_or_exec "$@"
need_programs git
open_base_system

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
