#!/usr/bin/env bash
# Checks, breaks and measures the payment system through its HTTP APIs: in the lab on this machine (make run), or in a
# cluster behind port-forwards. Every number that it prints was measured. kubectl is used for two things only, when no
# scenario runner answers: to apply an experiment, and to clean up what was applied.
set -euo pipefail

PAYMENT_URL=${PAYMENT_URL:-http://localhost:5002}
INVENTORY_URL=${INVENTORY_URL:-http://localhost:5003}
NOTIFICATION_URL=${NOTIFICATION_URL:-http://localhost:5004}
RUNNER_URL=${RUNNER_URL:-http://localhost:8000}
NAMESPACE=${NAMESPACE:-payment-chaos}
EXPERIMENTS=${EXPERIMENTS:-$(dirname "$0")/chaos-experiments}
# What kubectl is given here carries this label, by which it is found again.
OWNER_LABEL=triggered-by=test-chaos

usage() {
  cat <<'USAGE'
usage: ./test-chaos.sh COMMAND
  health                 ask each service whether it lives
  basic                  one payment, one stock check, one chain, with their times
  apply loss [NAME]      start one packet-loss experiment (default: packet-loss-80-percent)
  apply stress [NAME]    start one stress experiment (default: cpu-stress-payment)
  loss [NAME]            measure the path with the loss on it: before, during and after
  stress [NAME]          measure the stressed service: before, during and after
  cleanup                end every run and load, switch every failure mode off, delete what kubectl applied
Exit codes: 0 done, 1 not done. loss and stress as 'scenario-runner run': 0 held, 2 deviated, 3 aborted, 4 invalid.
Their phases: BASELINE, DURATION, RECOVERY, such as 10s; the runner's usual ones where unset.
Addresses: PAYMENT_URL, INVENTORY_URL, NOTIFICATION_URL, RUNNER_URL. In a cluster, forward them first:
  kubectl -n payment-chaos port-forward svc/payment-service 5002:5002 &      (inventory 5003, notification 5004)
  kubectl -n payment-chaos port-forward svc/scenario-runner 8000:8000 &
USAGE
}

fail() { printf '%s\n' "$*" >&2; exit 1; }
command -v curl >/dev/null || fail "curl is missing: apt-get install curl"

# request METHOD URL [BODY]: prints the body; the status is in $status, the time in ms in $time_ms.
request() {
  # A trigger in a cluster waits until its fault is in force, or until what did not take is taken back.
  local arguments=(-sS --max-time 90 -X "$1" -o "$answer" -w '%{http_code} %{time_total}')
  [[ $# -lt 3 ]] || arguments+=(-H 'Content-Type: application/json' -d "$3")
  local result
  result=$(curl "${arguments[@]}" "$2") || fail "$2 does not answer: start the lab (make run), or forward its port (./test-chaos.sh help)"
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

# runner_place: where the runner that answers works, `lab`, `plain` or `chaos-mesh in payment-chaos`; nothing when none does.
runner_place() {
  curl -sS --max-time 5 -o "$answer" "$RUNNER_URL/api/topology" 2>/dev/null || return 0
  local engine namespace
  engine=$(field engine) namespace=$(field namespace)
  printf '%s' "$engine${namespace:+ in $namespace}"
}

# has_cluster: whether kubectl reaches a cluster with Chaos Mesh and our namespace in it.
has_cluster() {
  command -v kubectl >/dev/null && kubectl --request-timeout=5s -n "$NAMESPACE" get networkchaos >/dev/null 2>&1
}

nobody() {
  fail "no scenario runner answers at $RUNNER_URL, and kubectl reaches no namespace $NAMESPACE with Chaos Mesh:" \
    "start the lab (make run), forward the runner's port (./test-chaos.sh help), or choose a kubectl context"
}

# manifest NAME: that experiment alone, out of the files that hold several.
manifest() {
  awk -v name="$1" '
    function out() { if (found) printf "%s", document; found = 0; document = "" }
    FNR == 1 { out() }
    /^---/ { out(); next }
    { document = document $0 "\n" }
    $0 ~ "^  name: \"?" name "\"?[[:space:]]*$" { found = 1 }
    END { out() }
  ' "$EXPERIMENTS"/*.yaml
}

health() {
  check payment GET "$PAYMENT_URL/health" "" '"healthy"'
  check inventory GET "$INVENTORY_URL/health" "" '"healthy"'
  check notification GET "$NOTIFICATION_URL/health" "" '"healthy"'
  local place
  place=$(runner_place)
  printf '  runner  %s\n' "${place:-does not answer at $RUNNER_URL}"
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
  if [[ -z $(runner_place) ]]; then
    apply_with_kubectl "$name"
    return
  fi
  request POST "$RUNNER_URL/api/$path/$name"
  [[ $status == 200 ]] || fail "not started ($status): $(field message)"
  printf '%s\n' "$(field message)" "It is run $(field run_id); ./test-chaos.sh cleanup stops it."
}

apply_with_kubectl() { # NAME
  has_cluster || nobody
  local text
  text=$(manifest "$1")
  [[ -n $text ]] || fail "there is no experiment $1 in $EXPERIMENTS"
  printf '%s\n' "$text" | kubectl label --local -f - "$OWNER_LABEL" -o yaml | kubectl -n "$NAMESPACE" apply -f -
  echo "./test-chaos.sh cleanup deletes it."
}

measure() { # NAME
  local body="{\"experiment\": \"$1\", \"origin\": \"command-line\"" id phase last=""
  [[ -z ${BASELINE:-} ]] || body+=", \"baseline\": \"$BASELINE\""
  [[ -z ${DURATION:-} ]] || body+=", \"duration\": \"$DURATION\""
  [[ -z ${RECOVERY:-} ]] || body+=", \"recovery\": \"$RECOVERY\""
  request POST "$RUNNER_URL/api/runs" "$body}"
  [[ $status == 202 ]] || fail "not started ($status): $(field detail)"
  id=$(field id)
  # Longer than the longest run that the API admits.
  local deadline=$((SECONDS + 45 * 60))
  while true; do
    request GET "$RUNNER_URL/api/runs/$id"
    [[ $status == 200 ]] || fail "run $id cannot be followed ($status): $(field detail)"
    [[ $(field state) != finished ]] || break
    ((SECONDS < deadline)) || fail "run $id has not ended; ./test-chaos.sh cleanup stops it"
    phase=$(field phase)
    [[ $phase != null ]] || phase=""
    [[ -z $phase || $phase == "$last" ]] || printf '%s ...\n' "$phase"
    last=${phase:-$last}
    sleep 1
  done
  local verdict
  verdict=$(field verdict)
  request GET "$RUNNER_URL/api/runs/$id/report?format=text"
  [[ $status == 200 ]] || fail "run $id $verdict, and has no report ($status): $(field detail)"
  cat "$answer"
  case $verdict in
    held) ;;
    deviated) exit 2 ;;
    aborted) exit 3 ;;
    invalid) exit 4 ;;
    *) fail "run $id has the verdict '$verdict', which this script does not know" ;;
  esac
}

cleanup() {
  local place
  place=$(runner_place)
  if [[ -n $place ]]; then cleanup_runs; fi
  # In a cluster something may have been applied while no runner answered.
  if [[ -z $place || $place == chaos-mesh* ]] && has_cluster; then
    kubectl -n "$NAMESPACE" delete workflow,schedule,networkchaos,stresschaos,podchaos -l "$OWNER_LABEL" --timeout=60s
    echo "What kubectl had applied is gone."
  elif [[ -z $place ]]; then
    nobody
  fi
}

# trouble WORDS: says what could not be done, and goes on with the rest.
trouble() {
  printf '%s\n' "$*" >&2
  failures=$((failures + 1))
}

# look: the ids of the runs that have not ended, in $runs; the load and Locust that have not, in $loads.
look() {
  loads=()
  request GET "$RUNNER_URL/api/runs"
  [[ $status == 200 ]] || fail "the runs cannot be listed ($status): $(field detail)"
  # The keys of an answer are sorted: of each run the id comes first, then the state.
  mapfile -t runs < <(grep -oE '"(id|state)":"[^"]*"' "$answer" | cut -d'"' -f4 | paste - - | awk '$2 != "finished" { print $1 }')
  request GET "$RUNNER_URL/api/load?since=2147483647"
  case $status:$(field state) in 200:running | 200:stopping) loads+=("the load $(field id)") ;; esac
  request GET "$RUNNER_URL/api/locust"
  [[ $status != 200 || $(<"$answer") == *'"current":null'* ]] || loads+=("Locust")
}

# stop WHAT PATH
stop() {
  request POST "$RUNNER_URL/api/$2"
  [[ $status == 200 ]] || trouble "$1 could not be stopped ($status): $(<"$answer")"
}

cleanup_runs() {
  local before=$failures id what runs loads
  look
  for id in "${runs[@]}"; do stop "run $id" "runs/$id/stop"; done
  for what in "${loads[@]}"; do
    if [[ $what == Locust ]]; then stop Locust locust/stop; else stop "$what" load/stop; fi
  done
  stop "the failure modes" payment-scenarios/reset
  # Longer than the runner tries to take a fault away.
  local deadline=$((SECONDS + 90))
  look
  while ((${#runs[@]} + ${#loads[@]} > 0 && SECONDS < deadline)); do
    sleep 0.2
    look
  done
  for what in "${runs[@]/#/run }" "${loads[@]}"; do trouble "$what has not ended"; done
  request GET "$RUNNER_URL/api/chaos-rate-limit-status"
  if ((${#runs[@]} == 0)) && [[ $status != 200 || $(field active_experiments) != 0 ]]; then
    trouble "a fault could not be taken away: the run's report says why, and it goes with its lease at the latest"
  fi
  ((failures > before)) || echo "Every run and load has ended, every failure mode is off."
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
