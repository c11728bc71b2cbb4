#!/usr/bin/env bash
# Puts Locust into .lab/venv, where Python 3 with venv is there. It is quick when that has been done.
# Where it cannot, one line says that there is no Locust, and why; the exit code is 69 then.
set -euo pipefail
cd "$(dirname "$0")/.."

version=2.47.0
venv=$PWD/.lab/venv
# A virtual environment knows its own place: one that was moved or copied is made anew.
stamp="locust $version in $venv"

fail() { printf 'Locust is not available: %s\n' "$*" >&2; exit 69; }
is_ready() { [[ -x $venv/bin/locust && -x $venv/bin/python && $(cat "$venv/stamp" 2>/dev/null) == "$stamp" ]]; }

is_ready && exit 0
mkdir -p .lab
exec 9>.lab/venv.lock
flock -w 300 9 || fail "another installation has not ended within 5 minutes"
is_ready && exit 0

python=$(command -v python3) || fail "python3 is not installed (Debian: apt-get install python3-venv)"
has_venv() { "$python" -c 'import ensurepip, venv' 2>/dev/null; }
if ! has_venv && command -v apt-get >/dev/null; then
  if [[ $(id -u) == 0 ]]; then as_root=(); else as_root=(sudo -n); fi
  echo "installing python3-venv"
  install() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3-venv; }
  { install || { "${as_root[@]}" apt-get update && install; }; } >/dev/null 2>&1 || true
fi
has_venv || fail "this Python has no venv (Debian: apt-get install python3-venv)"

echo "installing Locust $version into .lab/venv"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
rm -rf "$venv"
{ "$python" -m venv "$venv" &&
  timeout 300 "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --timeout 10 --retries 1 \
    "locust==$version" && "$venv/bin/locust" --version; } >"$log" 2>&1 ||
  {
    ! grep -qi 'connection broken' "$log" || fail "the Python package index cannot be reached"
    fail "pip could not install it: $(grep -v '^WARNING' "$log" | tail -n 1)"
  }
printf '%s\n' "$stamp" >"$venv/stamp"
