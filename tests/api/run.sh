#!/usr/bin/env bash
# Runs one of the tests here: run.sh NAME_test.mjs [ARGUMENT...]. Without node, or without tests/node_modules as
# package-lock.json has it, it is skipped (77); scripts/test --all says in DFOTA_TEST_ALL that it must run.
set -euo pipefail
cd "$(dirname "$0")"

missing=
if ! command -v node >/dev/null; then
  missing="there is no node"
elif ! cmp -s ../package-lock.json ../node_modules/.installed-lock.json; then
  missing="tests/node_modules is not what tests/package-lock.json says"
fi
if [[ -n $missing ]]; then
  echo "$1: $missing: run scripts/setup --all" >&2
  [[ -z ${DFOTA_TEST_ALL:-} ]] && exit 77
  exit 1
fi
exec node "$@"
