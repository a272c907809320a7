#!/usr/bin/env bash
# docker/monitoring and what is written of the metrics, held to what a gateway says: promtool takes the configuration, the
# rules, their tests and the exposition; each alert is missed by the tests when it is not there; documentation, dashboard
# and exposition name the same metrics, and the alerts no other.
#   monitoring_test.sh TEXT   TEXT: a scrape of /metrics, or a program that writes one to $DFOTA_METRICS_TEXT
# Without promtool it is skipped (77); scripts/test --all says in DFOTA_TEST_ALL that it must run.
set -euo pipefail
export LC_ALL=C

source_dir=$(cd "$(dirname "$0")/.." && pwd)
monitoring=$source_dir/docker/monitoring
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

fault() { echo "monitoring_test: $*"; failed=1; }
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log"; fault "$*"; }; }

if ! command -v promtool >/dev/null; then
  echo "monitoring_test: there is no promtool: run scripts/setup --all" >&2
  [[ -n ${DFOTA_TEST_ALL:-} ]] || exit 77
  exit 1
fi

text=$work/metrics
if [[ -x $1 ]]; then
  DFOTA_METRICS_TEXT=$text "$1" '--source-file=*/metrics_test.cpp' >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
else
  cp "$1" "$text"
fi

cp "$monitoring"/*.yml "$work"
echo "not-a-token" >"$work/dfota.token"
cd "$work"
quietly promtool check config --lint-fatal prometheus.yml
quietly promtool check rules --lint-fatal alerts.yml
quietly promtool test rules alerts_test.yml
promtool check metrics <"$text" >lint 2>&1 || { cat lint; fault "promtool check metrics"; }
[[ ! -s lint ]] || { cat lint; fault "promtool has something to say of the metrics"; }

# A rule that is gone must be missed: each has a test.
mapfile -t alerts < <(sed -n 's/^ *- alert: //p' alerts.yml)
((${#alerts[@]} >= 10)) || fault "alerts.yml has ${#alerts[@]} alerts"
mkdir without
cp alerts_test.yml without
for alert in "${alerts[@]}"; do
  sed "s/alert: $alert\$/alert: Another/" alerts.yml >without/alerts.yml
  if promtool test rules without/alerts_test.yml >log 2>&1; then fault "alerts_test.yml has no test of $alert"; fi
done

jq -e '.uid == "dfota-gateway" and ([.templating.list[].name] | index("datasource"))' "$monitoring/dfota-gateway.json" >/dev/null ||
  fault "dfota-gateway.json is not the dashboard"
if jq -r '.. | .datasource? // empty | .uid? // empty' "$monitoring/dfota-gateway.json" | grep -vxF "\${datasource}"; then
  fault "the dashboard names a data source of somebody's own"
fi

names() { grep -o 'dfota_[a-z0-9_]*' | sed -E 's/(_seconds)_(bucket|sum|count)$/\1/' | sort -u; }
sed -n 's/^# TYPE \(dfota_[a-z0-9_]*\) .*/\1/p' "$text" | sort >said
sed -n '/^## Metrics$/,/^## /p' "$source_dir/gateway/README.md" | grep -o '^| `dfota_[a-z0-9_]*' | names >documented
jq -r '.. | .expr? // empty, (.query?.query? // empty)' "$monitoring/dfota-gateway.json" | names >dashboard
{ cat alerts.yml && grep -o "series: '[^']*" alerts_test.yml; } | names >alerts
[[ -s said ]] || fault "no metric in $1"
diff said documented >differ || { cat differ; fault "what is said (<) and what gateway/README.md documents (>) are not the same metrics"; }
diff said dashboard >differ || { cat differ; fault "what is said (<) and what the dashboard shows (>) are not the same metrics"; }
comm -13 said alerts >unknown
[[ ! -s unknown ]] || { cat unknown; fault "the alerts, or their tests, name metrics that there are not"; }

# Labels are a handful of names, and few series: no module, job or version may be one.
sed -nE '/^dfota_/s/^[a-z0-9_]+\{([^}]*)\}.*/\1/p' "$text" | grep -oE '(^|,)[a-z]+="' | tr -d ',="' | sort -u >labels
printf '%s\n' class code le outcome phase result state version | diff labels - >differ || { cat differ; fault "labels (<) that are not meant"; }
series=$(grep -c '^dfota_' "$text")
((series < 600)) || fault "$series series"

((failed == 0)) && echo "monitoring_test: $(wc -l <said) metrics, $series series, ${#alerts[@]} alerts"
exit "$failed"
