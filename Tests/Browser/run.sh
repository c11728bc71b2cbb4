#!/usr/bin/env bash
# Runs the browser tests in an environment of their own, made at the first run and whenever its list changes.
#   Tests/Browser/run.sh [pytest's arguments]
set -euo pipefail
cd "$(dirname "$0")/../.."

environment=$PWD/.lab/venv-browser
list=Tests/Browser/requirements.txt
# A virtual environment knows its own place: one that was moved or copied is made anew.
stamp="$environment $(cat "$list")"
if [[ $(cat "$environment/stamp" 2>/dev/null) != "$stamp" ]]; then
  rm -rf "$environment"
  mkdir -p .lab
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement "$list"
  printf '%s\n' "$stamp" >"$environment/stamp"
fi
exec "$environment/bin/python" -B -m pytest -q -p no:cacheprovider Tests/Browser "$@"
