#!/bin/sh
# Makes a password for each user of the access list where there is none yet, and what each container needs of them:
#   OUT/mosquitto/  passwords (hashed) and acl    OUT/clients/<user>  the password    OUT/nodered/flows_cred.json
# Runs in eclipse-mosquitto, as root:  passwords.sh ACL OUT
set -eu
umask 077
acl=$1
out=$2
mkdir -p "$out/mosquitto" "$out/clients" "$out/nodered"

: >"$out/mosquitto/passwords.new"
for user in rack-1 rack-2 backend watcher node-red; do
  file=$out/clients/$user
  if [ ! -s "$file" ]; then
    head -c 24 /dev/urandom | base64 >"$file.new"
    mv "$file.new" "$file"
  fi
  mosquitto_passwd -b "$out/mosquitto/passwords.new" "$user" "$(cat "$file")"
done
mv "$out/mosquitto/passwords.new" "$out/mosquitto/passwords"
cp "$acl" "$out/mosquitto/acl"
# The broker node of docker/nodered/flows.json.
printf '{"e0fda6431a97a9f9": {"user": "node-red", "password": "%s"}}\n' "$(cat "$out/clients/node-red")" \
  >"$out/nodered/flows_cred.json"

# Each in its container: mosquitto, dfota-gateway, node-red.
chmod 755 "$out"
chown -R 1883:1883 "$out/mosquitto"
chown -R 8480:8480 "$out/clients"
chown -R 1000:1000 "$out/nodered"
