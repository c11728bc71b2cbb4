#!/usr/bin/env bash
# Checks, breaks and measures the payment system through its HTTP APIs: in the lab on this machine (make run), or on
# Kubernetes behind port-forwards. Every number that it prints was measured.
set -euo pipefail

PAYMENT_URL=${PAYMENT_URL:-http://localhost:5002}
INVENTORY_URL=${INVENTORY_URL:-http://localhost:5003}
NOTIFICATION_URL=${NOTIFICATION_URL:-http://localhost:5004}
RUNNER_URL=${RUNNER_URL:-http://localhost:8000}

usage() {
  cat <<'USAGE'
usage: ./test-chaos.sh COMMAND
  health                 ask each service whether it lives
  basic                  one payment, one stock check, one chain, with their times
  apply loss [NAME]      start one packet-loss experiment (default: packet-loss-80-percent)
  apply stress [NAME]    start one stress experiment (default: cpu-stress-payment)
  loss [NAME]            measure the path with the loss on it: before, during and after
  stress [NAME]          measure the stressed service: before, during and after
  cleanup                stop every run and switch every failure mode off
Addresses: PAYMENT_URL, INVENTORY_URL, NOTIFICATION_URL, RUNNER_URL.
USAGE
}

fail() { printf '%s\n' "$*" >&2; exit 1; }
command -v curl >/dev/null || fail "curl is missing: apt-get install curl"

# request METHOD URL [BODY]: prints the body; the status is in $status, the time in ms in $time_ms.
request() {
  local arguments=(-sS --max-time 35 -X "$1" -o "$answer" -w '%{http_code} %{time_total}')
  [[ $# -lt 3 ]] || arguments+=(-H 'Content-Type: application/json' -d "$3")
  local result
  result=$(curl "${arguments[@]}" "$2") || fail "$2 does not answer: is the lab up (make run)?"
  status=${result% *}
  time_ms=$(awk -v s="${result#* }" 'BEGIN { printf "%.0f", s * 1000 }')
}

# field NAME: the first text or number of that name in the last answer.
field() { sed -nE "s/.*\"$1\":\"?([^\",}]*)\"?.*/\1/p" "$answer" | head -n 1; }

check() { # LABEL METHOD URL BODY WANTED
  request "$2" "$3" ${4:+"$4"}
  if [[ $status == 200 && $(<"$answer") == *"$5"* ]]; then
    printf '  ok      %-12s %s ms\n' "$1" "$time_ms"
  else
    printf '  FAILED  %-12s %s ms, status %s: %s\n' "$1" "$time_ms" "$status" "$(<"$answer")"
    failures=$((failures + 1))
  fi
}

health() {
  check payment GET "$PAYMENT_URL/health" "" '"healthy"'
  check inventory GET "$INVENTORY_URL/health" "" '"healthy"'
  check notification GET "$NOTIFICATION_URL/health" "" '"healthy"'
}

basic() {
  check process POST "$PAYMENT_URL/payment/process" '{"amount": 100, "currency": "USD", "product_id": "1"}' '"payment_id"'
  check check GET "$INVENTORY_URL/check/1" "" '"available":true'
  check chain POST "$PAYMENT_URL/payment/chain" '{"product_id": "1"}' '"overall_status":"success"'
}

apply() { # loss|stress [NAME]
  local path name
  case $1 in
    loss) path=trigger_chaos name=${2:-packet-loss-80-percent} ;;
    stress) path=trigger_stress name=${2:-cpu-stress-payment} ;;
    *) usage >&2; exit 1 ;;
  esac
  request POST "$RUNNER_URL/api/$path/$name"
  [[ $status == 200 ]] || fail "not started ($status): $(field message)"
  printf '%s\n' "$(field message)" "It is run $(field run_id); ./test-chaos.sh cleanup stops it."
}

measure() { # NAME
  request POST "$RUNNER_URL/api/runs" "{\"experiment\": \"$1\", \"origin\": \"command-line\"}"
  [[ $status == 202 ]] || fail "not started ($status): $(field detail)"
  local id phase last=""
  id=$(field id)
  for ((i = 0; i < 1800; i++)); do
    request GET "$RUNNER_URL/api/runs/$id"
    [[ $(field state) != finished ]] || break
    phase=$(field phase)
    [[ -z $phase || $phase == "$last" ]] || printf '%s ...\n' "$phase"
    last=${phase:-$last}
    sleep 1
  done
  request GET "$RUNNER_URL/api/runs/$id/report"
  cat "$answer"
}

cleanup() {
  local id
  request GET "$RUNNER_URL/api/runs"
  for id in $(grep -oE '"id":"[^"]+"' "$answer" | cut -d'"' -f4); do
    request POST "$RUNNER_URL/api/runs/$id/stop"
  done
  request POST "$RUNNER_URL/api/payment-scenarios/reset"
  [[ $status == 200 ]] || fail "the failure modes are not reset ($status): $(field message)"
  echo "Every run is stopped, every failure mode is off."
}

answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
failures=0
case ${1:-} in
  health) health ;;
  basic) basic ;;
  apply) apply "${2:-loss}" "${3:-}" ;;
  loss) measure "${2:-packet-loss-80-percent}" ;;
  stress) measure "${2:-cpu-stress-payment}" ;;
  cleanup) cleanup ;;
  *) usage; [[ ${1:-} == help ]] || exit 1 ;;
esac
(( failures == 0 )) || exit 1
