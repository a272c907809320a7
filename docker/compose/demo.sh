#!/bin/sh
# An update of the whole rack: makes a delta of the simulated kind, gives it to the gateway, and follows the job to its end.
#   demo.sh [FROM TO [OPTION OF dfota update]...]
set -eu
from=${1:-UC20GQBR03A11E1G}
to=${2:-UC20GQBR03A12E1G}
[ $# -lt 2 ] || shift 2
name=$from-$to.bin
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

tries=60
until dfota ping; do
  tries=$((tries - 1))
  [ $tries -gt 0 ] || exit 3
  sleep 1
done
dfota-rack --make-delta "$dir/$name" --from "$from" --to "$to" --size 524288
dfota artifact add "$dir/$name" --model UC20 --from "$from" --to "$to"
dfota update --modules all --artifact "$name" --from "$from" --to "$to" --absent wait "$@"
