#!/usr/bin/env bash
# Who may include whom: our folders, and the libraries of others.
#   includes_test.sh [ROOT]       checks a source tree; prints each violation as FILE:LINE: message
#   includes_test.sh --self-test  makes trees with one violation each, and fails unless each is found
set -euo pipefail
export LC_ALL=C

# ZONE: what it may include of ours. A path names a zone (the deepest folder that holds it) or one file.
own_rules='
base       base
transport  base transport
config     base config
simulator  base simulator config/profile.hpp
modem      base transport config modem
ctl        base transport config ctl gateway/json_guard.hpp gateway/api_codes.hpp gateway/transcript_line.hpp modem/finding.hpp modem/fota_codes.hpp modem/fota_code_tables.hpp
gateway    base transport config modem gateway
tests      base transport config simulator modem ctl gateway tests
'

# LIBRARY, regular expression of its headers, regular expression of the files that may include them.
library_rules='
asio          ^asio(/|\.hpp$)          ^(transport|modem|gateway|tests)/
nlohmann_json ^nlohmann/               ^(gateway|modem/simulator|tests)/
Paho          ^(mqtt/|MQTT)            ^transport/mqtt_(connection|properties)\.[ch]pp$
cpp-httplib   ^httplib\.h$             ^transport/(file_server_answer|web_render)\.[ch]pp$
libserialport ^libserialport\.h$       ^transport/serial_port\.[ch]pp$
libudev       ^libudev\.h$             ^transport/port_watch\.[ch]pp$
libcurl       ^curl/                   ^(transport/(download|http_url|probe)|modem/simulator/ftp_download)\.[ch]pp$
toml++        ^toml(\+\+|plusplus)?(/|\.h) ^config/toml_tree\.[ch]pp$
SQLite        ^(SQLiteCpp/|sqlite3\.h$) ^gateway/journal_store\.[ch]pp$|^tests/
libsodium     ^sodium(\.h$|/)          ^transport/(sha256|blake2b|minisign)\.[ch]pp$|^modem/simulator/|^tests/
OpenSSL       ^openssl/                ^transport/tls_fault\.[ch]pp$
sd-bus        ^systemd/sd-bus\.h$      ^transport/modem_manager\.cpp$|^tests/
prometheus-cpp ^prometheus/            ^gateway/metrics\.cpp$
sd-daemon     ^systemd/sd-daemon\.h$  ^gateway/service_manager\.[ch]pp$
CLI11         ^CLI/                    ^(gateway|modem/simulator)/main\.cpp$|^gateway/ctl/[a-z_]*\.cpp$|^tests/bench/
doctest       ^doctest/                ^tests/
rapidcheck    ^rapidcheck(/|\.h$)     ^tests/
'

check() {  # ROOT
  local root=$1
  (cd "$root" && find . \( -path ./build -o -path ./.git -o -name node_modules \) -prune -o -type f \
    -regex '.*\.\(cpp\|hpp\|h\|c\|cc\|cxx\|hxx\|hh\|ipp\|inl\)' -print | sed 's#^\./##' | sort) >"$work/files"
  if ! [[ -s $work/files ]]; then
    echo "$root: no sources found"
    return 1
  fi
  # One process a batch of files: grep ends 1, and xargs 123, for a batch without includes.
  (cd "$root" && { xargs -d '\n' grep -HnE '^[[:space:]]*#[[:space:]]*(include|include_next|import)([^a-z_]|$)' /dev/null \
    <"$work/files" || true; }) >"$work/includes"
  if ! [[ -s $work/includes ]]; then
    echo "$root: no includes found"
    return 1
  fi
  OWN_RULES=$own_rules LIBRARY_RULES=$library_rules awk '
    function zone(path) {
      if (path ~ /^transport\/base\//) return "base"
      if (path ~ /^modem\/simulator\//) return "simulator"
      if (path ~ /^gateway\/ctl\//) return "ctl"
      if (path ~ /^(transport|config|modem|gateway|tests)\//) return substr(path, 1, index(path, "/") - 1)
      return ""
    }
    function fault(message) { print place ": " message; faults++ }
    function own(file, target,    from, to) {
      if (target ~ /(^|\/)\.\.?\//) return fault("\"" target "\" is not written from the root")
      if (!(target in exists)) return fault("\"" target "\": no such file, counted from the root")
      from = zone(file); to = zone(target)
      if (index(may[from], " " to " ") || index(may[from], " " target " ")) return
      fault((from == "" ? "a file outside the known folders" : from) " may not include " (to == "" ? target : to) " (\"" target "\")")
    }
    function foreign(file, target,    i) {
      if (target ~ /(^|\/)\.\.?\// || zone(target) != "" || target in exists)
        return fault("<" target ">: our own headers are written in quotes, from the root")
      for (i = 1; i <= libraries; i++)
        if (target ~ header[i]) {
          if (file !~ allowed[i]) fault(library[i] " (<" target ">) may not be included here, but only in " allowed[i])
          return
        }
      if (target ~ /^[a-z0-9_]+$/) return                                 # the standard library
      if (target ~ /^(sys|netinet|arpa|net|linux|asm)\/[a-z0-9_]+\.h$/) return  # the system
      if (index(posix, " " target " ")) return
      fault("<" target ">: a library that tests/includes_test.sh does not know")
    }
    BEGIN {
      posix = " assert.h ctype.h dirent.h errno.h fcntl.h fnmatch.h getopt.h glob.h grp.h ifaddrs.h inttypes.h limits.h locale.h"\
              " netdb.h poll.h pthread.h pty.h pwd.h regex.h sched.h semaphore.h signal.h spawn.h stdint.h stdio.h stdlib.h string.h"\
              " strings.h syslog.h termios.h time.h unistd.h utime.h wait.h execinfo.h "
      count = split(ENVIRON["OWN_RULES"], lines, "\n")
      for (i = 1; i <= count; i++)
        if (split(lines[i], words, /[ ]+/) > 1) {
          may[words[1]] = lines[i] " "; sub(/^[^ ]+/, "", may[words[1]])
        }
      count = split(ENVIRON["LIBRARY_RULES"], lines, "\n")
      for (i = 1; i <= count; i++)
        if (split(lines[i], words, /[ ]+/) == 3) {
          library[++libraries] = words[1]; header[libraries] = words[2]; allowed[libraries] = words[3]
        }
    }
    FNR == NR {
      exists[$0] = 1
      if (zone($0) == "") { place = $0; fault("a source file outside the known folders") }
      next
    }
    {
      split($0, parts, ":"); file = parts[1]; place = parts[1] ":" parts[2]
      text = $0; sub(/^[^:]*:[0-9]*:/, "", text)
      if (match(text, /^[ \t]*#[ \t]*include[ \t]*"[^"]*"/)) {
        target = substr(text, 1, RLENGTH - 1); sub(/^[^"]*"/, "", target); own(file, target)
      } else if (match(text, /^[ \t]*#[ \t]*include[ \t]*<[^>]*>/)) {
        target = substr(text, 1, RLENGTH - 1); sub(/^[^<]*</, "", target); foreign(file, target)
      } else fault("an include that is no plain #include \"...\" or <...>")
    }
    END { exit faults != 0 }
  ' "$work/files" "$work/includes"
}

# A tree in which each zone has one header that it may have, and everything is allowed.
good_tree() {  # DIR
  local dir=$1 folder
  mkdir -p "$dir"/{transport/base,config,modem/simulator,gateway/ctl,tests/unit,build,node_modules}
  for folder in transport/base transport config modem modem/simulator gateway gateway/ctl tests/unit; do
    echo '#pragma once' >"$dir/$folder/a.hpp"
  done
  echo '#pragma once' >"$dir/gateway/json_guard.hpp"
  echo '#include "../anything.h"' >"$dir/build/generated.cpp"
  printf '#include <vector>\n#include <sys/socket.h>\n#include <asio/io_context.hpp>\n#include "transport/base/a.hpp"\n' >"$dir/transport/a.cpp"
  printf '#include <mqtt/async_client.h>\n' >"$dir/transport/mqtt_connection.cpp"
  printf '#include <httplib.h>\n' >"$dir/transport/file_server_answer.cpp"
  printf '#include <curl/curl.h>\n' >"$dir/transport/download.cpp"
  printf '#include <curl/curl.h>\n' >"$dir/modem/simulator/ftp_download.cpp"
  printf '#include <toml++/toml.h>\n#include "config/a.hpp"\n' >"$dir/config/toml_tree.cpp"
  printf '#include "transport/a.hpp"\n#include "config/a.hpp"\n#include "modem/a.hpp"\n' >"$dir/modem/a.cpp"
  printf '#include "modem/simulator/a.hpp"\n#include <CLI/CLI.hpp>\n' >"$dir/modem/simulator/main.cpp"
  printf '#include <sqlite3.h>\n#include "modem/a.hpp"\n' >"$dir/gateway/journal_store.cpp"
  printf '#include "gateway/json_guard.hpp"\n#include "transport/a.hpp"\n' >"$dir/gateway/ctl/a.cpp"
  printf '// #include "../x.hpp"\n#include <doctest/doctest.h>\n#include "gateway/ctl/a.hpp"\n' >"$dir/tests/unit/a_test.cpp"
}

self_test() {
  local cases=0 missed=0 file line tree=$work/tree
  good_tree "$tree"
  if ! check "$tree"; then
    echo "self-test: a tree without a violation was refused"
    missed=$((missed + 1))
  fi
  # FILE, then the line that is wrong in it.
  while read -r file line; do
    [[ -n $file ]] || continue
    rm -rf "$tree"
    good_tree "$tree"
    mkdir -p "$tree/$(dirname "$file")"
    printf '%s\n' "$line" >>"$tree/$file"
    cases=$((cases + 1))
    if check "$tree" >"$work/found"; then
      echo "self-test: not found in $file: $line"
      missed=$((missed + 1))
    elif [[ $(wc -l <"$work/found") != 1 || $(<"$work/found") != "$file"* ]]; then
      echo "self-test: one fault expected for $file: $line; found:"
      cat "$work/found"
      missed=$((missed + 1))
    fi
  done <<'CASES'
transport/base/a.cpp #include "transport/a.hpp"
transport/a.cpp #include "config/a.hpp"
transport/a.cpp #include "modem/a.hpp"
transport/a.cpp #include "gateway/a.hpp"
config/a.cpp #include "transport/a.hpp"
config/a.cpp #include "modem/a.hpp"
config/a.cpp #include "gateway/a.hpp"
modem/a.cpp #include "gateway/a.hpp"
modem/a.cpp #include "gateway/ctl/a.hpp"
modem/a.cpp #include "modem/simulator/a.hpp"
modem/a.cpp #include "tests/unit/a.hpp"
modem/simulator/a.cpp #include "modem/a.hpp"
modem/simulator/a.cpp #include "transport/a.hpp"
modem/simulator/a.cpp #include "config/a.hpp"
gateway/a.cpp #include "modem/simulator/a.hpp"
gateway/a.cpp #include "gateway/ctl/a.hpp"
gateway/a.cpp #include "tests/unit/a.hpp"
gateway/ctl/a.cpp #include "gateway/a.hpp"
gateway/ctl/a.cpp #include "modem/a.hpp"
transport/a.cpp #include "../config/a.hpp"
transport/a.cpp #include "transport/../config/a.hpp"
transport/a.cpp #include "./a.hpp"
transport/a.cpp #include "a.hpp"
transport/a.cpp   #  include   "base/a.hpp"
transport/a.cpp #include <transport/base/a.hpp>
transport/a.cpp #include TRANSPORT_HEADER
transport/a.cpp #include_next <vector>
transport/a.cpp #include "transport/missing.hpp"
transport/a.cpp #include <boost/asio.hpp>
transport/a.cpp #include <libudev.h>
transport/a.cpp #include <mqtt/async_client.h>
transport/a.cpp #include <MQTTAsync.h>
transport/mqtt_client.cpp #include <mqtt/async_client.h>
transport/file_server.cpp #include <httplib.h>
transport/a.cpp #include <systemd/sd-bus.h>
transport/fetch.cpp #include <curl/curl.h>
config/load.cpp #include <toml++/toml.h>
gateway/journal.cpp #include <sqlite3.h>
gateway/a.cpp #include <sodium.h>
transport/a.cpp #include <openssl/ssl.h>
gateway/a.cpp #include <mqtt/message.h>
gateway/a.cpp #include <httplib.h>
modem/a.cpp #include <libserialport.h>
transport/link.cpp #include <libserialport.h>
modem/simulator/a.cpp #include <curl/curl.h>
gateway/a.cpp #include <toml++/toml.h>
config/config.cpp #include <toml.hpp>
gateway/a.cpp #include <SQLiteCpp/SQLiteCpp.h>
modem/a.cpp #include <sqlite3.h>
gateway/metrics.hpp #include <prometheus/registry.h>
modem/a.cpp #include <sodium.h>
gateway/a.cpp #include <CLI/CLI.hpp>
config/a.cpp #include <asio/io_context.hpp>
config/a.cpp #include <asio.hpp>
transport/a.cpp #include <nlohmann/json.hpp>
modem/a.cpp #include <doctest/doctest.h>
modem/a.cpp #include <rapidcheck.h>
extra/a.cpp int outside_the_house;
CASES
  echo "self-test: $((cases - missed)) of $cases violations found"
  ((missed == 0 && cases >= 40))
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case ${1:-} in
  --self-test) self_test ;;
  -*) sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  *) check "${1:-$(dirname "$0")/..}" ;;
esac
