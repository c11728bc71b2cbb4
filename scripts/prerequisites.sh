#!/usr/bin/env bash
# Installs what the build and the lab need and what is not there yet: as root, or through sudo where it asks for no
# password. Where it may not install, it says in one line what to install and exits with 69.
#   scripts/prerequisites.sh build    headers and libraries for the compiler
#   scripts/prerequisites.sh lab      the same, and the tools that the lab calls
#   scripts/prerequisites.sh test     the same, and what the tests set up servers with, PostgreSQL among them
#   scripts/prerequisites.sh bench    the same, and what the benchmarks compare with
#   scripts/prerequisites.sh browser  a browser and Python, for the tests of what is shown in one
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"

what=${1:-lab}
fail() { printf '%s\n' "$*" >&2; exit 69; }

command -v swift >/dev/null || fail "swift is missing: install Swift 6.3 or later (https://www.swift.org/install/linux/) and put it on PATH"
version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+)\.([0-9]+).*/\1 \2/p' | head -n 1)
read -r major minor <<<"${version:-0 0}"
(( major > 6 || (major == 6 && minor >= 3) )) || fail "swift ${major}.${minor} is too old: install Swift 6.3 or later (https://www.swift.org/install/linux/)"

missing=()
has_header() { [[ -n $(find /usr/include /usr/local/include -path "*/$1" -print -quit 2>/dev/null) ]]; }
need_header() { has_header "$1" || missing+=("$2"); }
need_tool() { command -v "$1" >/dev/null || missing+=("$2"); }

need_header sqlite3.h libsqlite3-dev
need_header curl/curl.h libcurl4-openssl-dev
if [[ $what == browser ]]; then
  command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || need_tool chromium chromium
  need_tool python3 python3
  python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
fi
if [[ $what == lab || $what == test || $what == bench ]]; then
  need_tool nft nftables
  need_tool ip iproute2
  need_tool unshare util-linux
  need_tool curl curl
fi
if [[ $what == test ]]; then
  need_tool python3 python3
  need_tool openssl openssl
  need_header libpq-fe.h libpq-dev
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || need_tool postgres postgresql
fi
if [[ $what == bench ]]; then
  need_tool nginx nginx-light
  need_tool wrk wrk
  need_tool python3 python3
fi
(( ${#missing[@]} )) || exit 0

list="${missing[*]}"
command -v apt-get >/dev/null || fail "missing: $list (Debian's names); install them with your package manager"
if [[ $(id -u) == 0 ]]; then
  as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root=(sudo -n)
else
  fail "missing: $list; run: sudo apt-get install $list"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "installing $list"
install() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; }
{ install || { "${as_root[@]}" apt-get update && install; }; } >"$log" 2>&1 ||
  { tail -n 5 "$log" >&2; fail "could not install $list; run: sudo apt-get install $list"; }
