#!/usr/bin/env bash
# Whether `scenario-runner compare` tells runs apart that differ, and only those: real runs in a lab of its own, in
# turns of two equal ones and one whose packets take 20 ms more. At most 1 of 20 equal pairs may be flagged, and all of
# the others must be. 20 pairs take about half an hour.
#   COMPARE_PAIRS=20 SCENARIO_RUNNER=.build/release/scenario-runner Tests/Benchmarks/compare.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

pairs=${COMPARE_PAIRS:-20}
runner=${SCENARIO_RUNNER:-.build/release/scenario-runner}
folder=$(mktemp -d)
state=$folder/state

"$runner" lab --state "$state" --experiments Tests/Benchmarks/compare --ports 0,0,0,0 >"$folder/lab.log" 2>&1 &
lab=$!
end() { kill "$lab" 2>/dev/null && wait "$lab" 2>/dev/null || true; rm -rf "$folder"; }
trap end EXIT
for _ in $(seq 600); do
  [[ -e $state/lab.json ]] && break
  kill -0 "$lab" 2>/dev/null || { cat "$folder/lab.log" >&2; exit 69; }
  sleep 0.1
done

# One run; its journal lies where it says. A run that deviated is as good for comparing as any other; one that is
# invalid, as on a machine that was busy with something else, says nothing and is made again, twice at most.
measure() {
  local code
  for _ in 1 2 3; do
    code=0
    "$runner" run "$1" --baseline 6s --duration 12s --recovery 8s --state "$state" --json >"$2" || code=$?
    case $code in 0|2) return ;; 4) ;; *) break ;; esac
  done
  echo "a run of $1 ended with $code" >&2
  exit 1
}

# Whether two runs differ, in words for the log.
differ() {
  local code=0
  "$runner" compare "$1" "$2" --fail-on any >"$folder/comparison" || code=$?
  sed -n 's/^Verdict  */    /p' "$folder/comparison"
  [[ $code == 0 || $code == 2 ]] || { cat "$folder/comparison" >&2; exit 1; }
  return "$code"
}

measure delay-1-ms "$folder/unused"  # The first run meets cold caches.
quiet=0 seen=0
for pair in $(seq "$pairs"); do
  measure delay-1-ms "$folder/a"
  measure delay-1-ms "$folder/same"
  measure delay-21-ms "$folder/slower"
  echo "pair $pair: equal"
  differ "$folder/a" "$folder/same" || quiet=$((quiet + 1))
  echo "pair $pair: 20 ms more"
  differ "$folder/a" "$folder/slower" || seen=$((seen + 1))
done
echo "of $pairs equal pairs, $quiet were flagged; of $pairs pairs with 20 ms more, $seen were"
(( quiet * 20 <= pairs && seen == pairs ))
