# shellcheck shell=bash disable=SC2154,SC2034
# The second half of image-test.sh, which reads this file: the system of compose.yaml, in use.

# --- the system -------------------------------------------------------------------------------------------------------

answer_of() { curl --silent --show-error --max-time 30 "$@"; }
pay() {
  answer_of -X POST http://127.0.0.1:5002/payment/process -H 'Content-Type: application/json' \
    -d '{"amount": "19.99", "currency": "USD", "product_id": "4"}' "$@"
}
status_of_payment() { pay --output /dev/null --write-out '%{http_code}'; }

wait_for() {
  local what=$1 seconds=$2
  shift 2
  for _ in $(seq $(( seconds * 2 ))); do
    "$@" && return 0
    sleep 0.5
  done
  fail "$what: not within $seconds s"
}

containers() { docker ps --all --quiet --filter "label=com.docker.compose.project=$project" "$@"; }
all_are_healthy() {
  local all healthy
  all=$(containers | wc -l)
  healthy=$(containers --filter health=healthy | wc -l)
  (( all == 8 && healthy == all ))
}

start_system() {
  docker compose version >/dev/null 2>&1 || install_missing docker-compose docker-compose
  install_missing curl curl
  # The definitions of compose.yaml, all of them: nothing is replaced.
  compose_is_up=yes
  compose up --detach >"$folder/compose.log" 2>&1 || { tail -n 20 "$folder/compose.log"; fail "the system does not start"; }
  wait_for "eight healthy containers" 120 all_are_healthy
  say "eight containers are healthy: 3 payment, 2 inventory, 2 notification, 1 runner"
}

check_containers() {
  local id limits
  for id in $(containers); do
    limits=$(docker inspect --format '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.Config.User}}' "$id")
    [[ $limits == 'true [ALL] 10001:10001' ]] || fail "a container runs with $limits"
  done
  [[ $(answer_of http://127.0.0.1:8000/) == *'<html'* ]] || fail "the runner has no page"
}

use_system() {
  local answer id code declined=0
  answer=$(pay)
  [[ $answer == *'"status":"success"'* ]] || fail "a payment: $answer"
  id=$(sed -E 's/.*"payment_id":"([^"]+)".*/\1/' <<<"$answer")
  answer=$(answer_of "http://127.0.0.1:5002/payment/status/$id")
  [[ $answer == *'"status":"completed"'* ]] || fail "its status: $answer"
  say "paid: $id"

  answer_of -X POST 'http://127.0.0.1:8000/api/payment-scenarios/card-decline?enabled=true&probability=100' >/dev/null
  declines() { [[ $(status_of_payment) == 402 ]]; }
  wait_for "a declined payment" 20 declines
  for _ in 1 2 3 4 5; do
    code=$(status_of_payment)
    [[ $code == 402 ]] && (( declined += 1 ))
  done
  (( declined == 5 )) || fail "with every card declined, $declined of 5 payments were"
  answer_of -X POST http://127.0.0.1:8000/api/payment-scenarios/reset >/dev/null
  succeeds() { [[ $(status_of_payment) == 200 ]]; }
  wait_for "a payment after the reset" 20 succeeds
  say "cards are declined when the runner says so, and only then"
}

# The books of all replicas, which share one volume.
check_money() {
  local output
  output=$(compose exec -T scenario-runner scenario-runner check --runner http://127.0.0.1:8000 2>&1) ||
    fail "the money: $output"
  say "$output"
}

# In order: each replica ends the requests that it has, and says 0.
stop_system() {
  local id code
  compose stop --timeout 30 >/dev/null 2>&1
  for id in $(containers); do
    code=$(docker inspect --format '{{.State.ExitCode}}' "$id")
    [[ $code == 0 ]] || fail "$(docker inspect --format '{{.Name}}' "$id") ended with $code"
  done
  compose down --volumes >/dev/null 2>&1
  compose_is_up=
  local left
  left="$(containers)$(docker volume ls --quiet --filter "label=com.docker.compose.project=$project")"
  left+=$(docker network ls --quiet --filter "label=com.docker.compose.project=$project")
  [[ -z $left ]] || fail "left behind: $left"
  say "every container ended with 0, and nothing is left"
}

start_system
check_containers
use_system
check_money
stop_system
say "passed"
