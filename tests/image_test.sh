#!/usr/bin/env bash
# docker/: the images are built, and the services of compose.yaml run from them as it says (their commands, files,
# volumes and health checks), without a container engine: by buildah in a chroot, in a network namespace with nothing but
# loopback, where each service's name is 127.0.0.1. The broker is this machine's mosquitto with compose.yaml's
# configuration, access list and passwords. Eight modules are updated over HTTP, and back over FTP. Needs root.
# debian:bookworm-slim is made by debootstrap; ccache and apt's packages are kept in the cache directory.
set -euo pipefail

build_limit_s=1500  # nothing in the cache, and a busy machine
limit_s=240         # of one update
start_limit_s=60

source_dir=$(cd "$(dirname "$0")/.." && pwd)
compose_file=$source_dir/docker/compose.yaml
from=UC20GQBR03A11E1G
to=UC20GQBR03A12E1G

# shellcheck source=tests/support/base_system.sh
. "$source_dir/tests/support/base_system.sh"
as_root_or_exec "$@"
need_programs buildah debootstrap docker-compose ip jq mosquitto mosquitto_passwd nsenter tar unshare

say() { echo "image_test: $*"; }

work=$(mktemp -d "${TMPDIR:-/tmp}/image-test.XXXXXX")
root=$work/root
mkdir "$root"
storage=(--root "$work/storage" --runroot "$work/run" --storage-driver vfs)
b() { buildah "${storage[@]}" "$@"; }
network=none
# All that was started here: in the network namespace, in the chroot of an image, or on files of this test.
processes() {
  local process
  for process in /proc/[0-9]*; do
    if [[ $(readlink "$process/ns/net" 2>/dev/null || true) == "$network" ||
          $(readlink "$process/root" 2>/dev/null || true) == "$work"/* ]] ||
      grep -qaF "$work/" "$process/cmdline" 2>/dev/null; then echo "${process#/proc/}"; fi
  done
}
clean_up() {
  local status=$? pid
  trap - EXIT INT TERM
  if ((status)); then tail -n 20 "$work"/*.log >&2 || true; fi
  for pid in $(processes); do kill -KILL "$pid" 2>/dev/null || true; done
  wait
  b rm --all >/dev/null 2>&1 || true
  # What is mounted there is the caches': never to be removed with it.
  if grep -qF " $work/" /proc/self/mountinfo; then
    echo "image_test: something is still mounted below $work, which stays" >&2
  else
    rm -rf --one-file-system "$work"
  fi
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

compose() { docker-compose -f "$compose_file" --profile second --profile tools "$@"; }
services=$work/services.json
compose config >"$work/compose.yaml" || fail "docker/compose.yaml is not valid"
/usr/bin/python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin)["services"], sys.stdout)' <"$work/compose.yaml" >"$services"
while IFS= read -r file; do
  [[ -e $file ]] || fail "docker/compose.yaml mounts $file, which is not there"
done < <(jq -r '.[].volumes // [] | .[] | split(":")[0] | select(startswith("/"))' "$services")
say "compose.yaml is valid, services: $(jq -r 'keys | join(" ")' "$services")"

dashboard=$(jq -r '.. | objects | ."@flowfuse/node-red-dashboard"? // empty' "$source_dir/tests/package.json")
grep -qF "node-red-dashboard@$dashboard" "$source_dir/docker/nodered/Dockerfile" ||
  fail "docker/nodered/Dockerfile installs another dashboard than $dashboard, with which tests/browser tries the flow"

# As Docker's own: no documentation, no lists of apt's for a next time, and dpkg syncs nothing.
make_debian_slim() {
  local container
  tar -C "$root" --numeric-owner -xf "$(base_tar)"
  take_over_apt
  printf 'path-exclude /usr/share/%s/*\n' doc man locale info >"$root/etc/dpkg/dpkg.cfg.d/docker"
  echo force-unsafe-io >>"$root/etc/dpkg/dpkg.cfg.d/docker"
  printf 'Dir::Cache::%s "";\n' pkgcache srcpkgcache >"$root/etc/apt/apt.conf.d/docker-clean"
  rm -rf "$root"/usr/share/{doc,man,locale,info}/*
  container=$(b from scratch)
  b add -q "$container" "$root" / >/dev/null
  b commit -q --rm "$container" docker.io/library/debian:bookworm-slim >/dev/null
}

build() {  # IMAGE DOCKERFILE CONTEXT
  local started=$SECONDS mounts=() ccache
  local apt=${XDG_CACHE_HOME:-$HOME/.cache}/dfota-image/apt
  mkdir -p "$apt/partial"
  mounts+=(--volume "$apt:/var/cache/apt/archives")
  ccache=$(ccache -k cache_dir 2>/dev/null || true)
  if [[ -d $ccache ]]; then mounts+=(--volume "$ccache:/root/.cache/ccache"); fi
  timeout --kill-after=10 "$build_limit_s" buildah "${storage[@]}" bud --isolation chroot --network host --pull-never \
    --format docker "${mounts[@]}" -f "$2" -t "$1" "$3" >"$work/build-$1.log" 2>&1 &
  wait $! || fail "no image $1"
  say "$1 built in $((SECONDS - started)) s"
}

make_debian_slim
build dfota-gateway "$source_dir/docker/Dockerfile" "$source_dir"
build dfota-ftp "$source_dir/docker/ftp/Dockerfile" "$source_dir/docker/ftp"
b images --format '{{.Name}}:{{.Tag}} {{.Size}}' | sed 's/^/image_test: /'

# --- a network of its own
unshare --net sleep infinity &
network_pid=$!
disown  # its end is not worth a word
host_network=$(readlink /proc/self/ns/net)
until network=$(readlink "/proc/$network_pid/ns/net") && [[ $network != "$host_network" ]]; do sleep 0.05; done
inside() { nsenter --net="/proc/$network_pid/ns/net" "$@"; }
inside ip link set lo up

# --- the services
of() { jq -r --arg service "$1" ".[\$service] | $2" "$services"; }
container() {  # SERVICE: one of its image, where every service is found
  local hosts=() name made
  for name in $(jq -r 'keys[]' "$services"); do hosts+=(--add-host "$name:127.0.0.1"); done
  made=$(b from --pull-never "${hosts[@]}" "localhost/$(of "$1" .image)")
  # Beside a volume of another kind buildah 1.28 mounts the image's own over the one that it is told.
  b config --volume /var/lib/dfota-gateway- "$made"
  echo "$made"
}
mounts_of() {  # SERVICE: each named volume is a directory
  local mount name
  while IFS= read -r mount; do
    name=${mount%%:*}
    if [[ $name != /* ]]; then
      if [[ ! -d $work/volumes/$name ]]; then install -d -o 8480 -g 8480 "$work/volumes/$name"; fi
      mount=$work/volumes/$mount
    fi
    printf '%s\n' --volume "$mount"
  done < <(of "$1" '.volumes // [] | .[]')
}
run() {  # SERVICE [COMMAND...]: instead of its own
  local service=$1 image mounts variables command
  shift
  image=$(b inspect --type image "localhost/$(of "$service" .image)" | jq -c .Docker.config)
  mapfile -t mounts < <(mounts_of "$service")
  mapfile -t variables < <(of "$service" '.environment // {} | to_entries[] | "--env", "\(.key)=\(.value)"')
  mapfile -t command < <(of "$service" "(.entrypoint // $(jq -c .Entrypoint <<<"$image"))[]")
  mapfile -t -O ${#command[@]} command < <(of "$service" "(.command // (if .entrypoint then [] else $(jq -c .Cmd <<<"$image") end) // [])[]")
  if (($#)); then command=("$@"); fi
  inside buildah "${storage[@]}" run --isolation chroot --cap-drop ALL \
    "${mounts[@]}" "${variables[@]}" "${containers[$service]}" -- "${command[@]}"
}
declare -A containers=()
start() {  # SERVICE
  containers[$1]=$(container "$1")
  run "$1" >"$work/$1.log" 2>&1 </dev/null &
  started=$!
}
wait_for() {  # WHAT COMMAND...
  local what=$1 end=$((SECONDS + start_limit_s))
  shift
  until "$@" >/dev/null 2>&1; do
    kill -0 "$started" 2>/dev/null || fail "$what: its process ended"
    ((SECONDS < end)) || fail "$what: not there after $start_limit_s s"
    sleep 0.2
  done
}
pid_of() {  # PROGRAM
  local pid
  for pid in $(processes); do
    if [[ $(readlink "/proc/$pid/exe") == */$1 ]]; then echo "$pid"; fi
  done
}
listens() { inside bash -c "exec 3<>/dev/tcp/127.0.0.1/$1"; }

mkdir -p "$work/volumes/secrets" "$work/mosquitto"
"$source_dir/docker/compose/passwords.sh" "$source_dir/docker/mosquitto/acl" "$work/volumes/secrets"
chmod 755 "$work" "$work/volumes"
broker_node=$(jq -r '.[] | select(.type == "mqtt-broker") | .id' "$source_dir/docker/nodered/flows.json")
[[ $(jq -r 'keys[]' "$work/volumes/secrets/nodered/flows_cred.json") == "$broker_node" ]] ||
  fail "passwords.sh gives Node-RED's password to another node than its broker, $broker_node"
sed -e "s#/run/dfota/#$work/volumes/secrets/#; s#/mosquitto/data/#$work/mosquitto/#" "$source_dir/docker/compose/mosquitto.conf" >"$work/mosquitto.conf"
echo "user root" >>"$work/mosquitto.conf"
inside mosquitto -c "$work/mosquitto.conf" >"$work/mosquitto.log" 2>&1 &
started=$!
wait_for "the broker" listens 1883

start rack
wait_for "the rack" listens 7007
start ftp
wait_for "the FTP server" listens 2121
start gateway
gateway=$started
mapfile -t image_health < <(b inspect --type image localhost/dfota-gateway | jq -r '.Docker.config.Healthcheck.Test[1:][]')
mapfile -t compose_health < <(of gateway '.healthcheck.test[1:][]')
wait_for "the health of the gateway's image" run gateway "${image_health[@]}"
wait_for "the health of the service gateway" run gateway "${compose_health[@]}"
say "healthy by ${image_health[*]} and by dfota ping"

containers[demo]=$(container demo)
update() {  # WHAT ARGUMENT...: of demo.sh
  local what=$1 started=$SECONDS
  shift
  run demo timeout "$limit_s" demo.sh "$@" >"$work/demo-$what.log" 2>&1 </dev/null || fail "the update over $what ended $?"
  (($(grep -c '^uc20-[0-7]: succeeded' "$work/demo-$what.log") == 8)) || fail "not all eight succeeded over $what"
  say "eight modules updated over $what in $((SECONDS - started)) s"
}
update http "$from" "$to"
update ftp "$to" "$from" --delivery ftp

run gateway dfota-gateway --config /etc/dfota-gateway/gateway.toml --check
containers[gateway-2]=$(container gateway-2)
run gateway-2 dfota-gateway --config /etc/dfota-gateway/gateway.toml --check

stop() {  # SERVICE PROGRAM PROCESS: its process 1 is sent what the image names
  local signal status=0
  signal=$(b inspect --type image "localhost/$(of "$1" .image)" | jq -r '.Docker.config.StopSignal // "SIGTERM"')
  kill -"$signal" "$(pid_of "$2")"
  wait "$3" || status=$?
  ((status == 0)) || fail "$1 ended $status after $signal"
}
stop gateway dfota-gateway "$gateway"
if run gateway "${image_health[@]}" 2>/dev/null; then fail "a gateway that has ended is healthy"; fi
say "stopped by its signal: exit code 0"
