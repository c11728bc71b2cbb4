#!/usr/bin/env bash
# Builds the image with a real engine, runs the system of compose.yaml from it, pays, lets payments fail, counts the
# money, and takes everything away again. On Debian or a Linux like it; as root where an engine or bases are missing.
#
#   docker/image-test.sh                       everything, in a folder of its own that is gone afterwards
#   IMAGE_TEST_FOLDER=dir docker/image-test.sh the same, and the folder stays: the next time builds only what changed
#
# Where no engine answers, one is started for the test (Debian's docker.io), with its own folder and socket. Where the
# public base images cannot be had, bases like them are made: Debian by debootstrap, and the Swift that is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:/usr/sbin:/sbin"

readonly max_megabytes=250
readonly image=payment-system:latest
readonly project=payment-chaos-test
say() { printf '== %s\n' "$*"; }
fail() { printf 'image-test: %s\n' "$*" >&2; exit 1; }
missing() { printf 'image-test: %s\n' "$*" >&2; exit 69; }

need_root() { (( $(id -u) == 0 )) || missing "$1: run it as root"; }
if [[ -n ${IMAGE_TEST_FOLDER:-} ]]; then
  mkdir -p "$IMAGE_TEST_FOLDER"
  folder=$(cd "$IMAGE_TEST_FOLDER" && pwd)
else
  folder=$(mktemp -d)
fi
engine_pid=

clean_up() {
  local code=$?
  set +e
  if (( code != 0 )) && [[ -n ${compose_is_up:-} ]]; then compose ps; compose logs --tail 20; fi
  [[ -z ${compose_is_up:-} ]] || compose down --volumes --timeout 20 >/dev/null 2>&1
  if [[ -n $engine_pid ]]; then
    kill "$engine_pid" && wait "$engine_pid" 2>/dev/null
    grep " $folder/" /proc/self/mounts | cut -d ' ' -f 2 | sort -r | xargs -r umount -l
  fi
  [[ -n ${IMAGE_TEST_FOLDER:-} ]] || rm -rf "$folder"
  exit "$code"
}
trap clean_up EXIT

install_missing() {
  local packages=()
  while (( $# )); do
    command -v "$1" >/dev/null || packages+=("$2")
    shift 2
  done
  (( ${#packages[@]} )) || return 0
  command -v apt-get >/dev/null || missing "install ${packages[*]} (Debian's names)"
  need_root "${packages[*]} must be installed"
  say "installing ${packages[*]}"
  install() { DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"; }
  { install || { apt-get update && install; }; } >"$folder/apt.log" 2>&1 || { tail -n 5 "$folder/apt.log"; missing "cannot install ${packages[*]}"; }
}

# --- the engine -------------------------------------------------------------------------------------------------------

# What this kernel can do decides how the engine is started.
has_overlay() {
  local dir=$folder/overlay code=0
  mkdir -p "$dir"/{lower,upper,work,merged}
  mount -t overlay overlay -o "lowerdir=$dir/lower,upperdir=$dir/upper,workdir=$dir/work" "$dir/merged" 2>/dev/null || code=1
  (( code )) || umount "$dir/merged"
  rm -rf "$dir"
  return "$code"
}
has_nat() {
  local rule=(-t nat -A POSTROUTING -s 192.0.2.0/24 -m addrtype --src-type LOCAL -j MASQUERADE)
  iptables "${rule[@]}" 2>/dev/null && iptables "${rule[@]/-A/-D}" 2>/dev/null
}

start_engine() {
  if docker version >/dev/null 2>&1; then
    say "the engine that runs here: $(docker version --format '{{.Server.Version}}')"
    return
  fi
  need_root "no engine answers, and one must be started"
  install_missing dockerd docker.io iptables iptables
  local options=(--storage-driver overlay2)
  has_overlay || options=(--storage-driver vfs)
  has_nat || options+=(--iptables=false --ip-masq=false)
  export DOCKER_HOST=unix://$folder/docker.sock
  dockerd --host "$DOCKER_HOST" --data-root "$folder/engine" --exec-root "$folder/exec" --pidfile "$folder/docker.pid" \
    --bip 172.30.255.1/24 --default-address-pool base=172.30.0.0/17,size=24 "${options[@]}" >"$folder/dockerd.log" 2>&1 &
  engine_pid=$!
  for _ in $(seq 60); do
    docker version >/dev/null 2>&1 && break
    kill -0 "$engine_pid" 2>/dev/null || { tail -n 5 "$folder/dockerd.log"; missing "no engine can be started here"; }
    sleep 0.5
  done
  docker version >/dev/null 2>&1 || missing "the engine does not answer within 30 s"
  say "an engine of its own: $(docker version --format '{{.Server.Version}}') with ${options[*]}"
}

# The Dockerfile is for BuildKit: a plugin of new clients (buildx), and part of older ones, as Debian's is.
choose_client() {
  local candidate major
  for candidate in "$(command -v docker)" /usr/bin/docker; do
    [[ -x $candidate ]] || continue
    major=$("$candidate" version --format '{{.Client.Version}}' 2>/dev/null | cut -d . -f 1)
    if "$candidate" buildx version >/dev/null 2>&1 || (( ${major:-99} < 23 )); then
      client=$candidate
      return
    fi
  done
  missing "this docker cannot build with BuildKit: install its plugin buildx"
}
docker() { command "${client:-docker}" "$@"; }
export DOCKER_BUILDKIT=1

compose() {
  local command=(docker-compose)
  docker compose version >/dev/null 2>&1 && command=(docker compose)
  "${command[@]}" --project-name "$project" --file docker/compose.yaml "$@"
}

# --- the bases --------------------------------------------------------------------------------------------------------

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

# As Debian's slim image: the smallest system, without documents in other forms than licences, and without lists.
make_run_base() {
  local root=$folder/run-base
  debootstrap --variant=minbase bookworm "$root" >"$folder/debootstrap.log" 2>&1 ||
    { tail -n 5 "$folder/debootstrap.log"; missing "debootstrap cannot make a base"; }
  cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
  find "$root/usr/share/doc" -type f ! -name copyright -delete
  rm -rf "$root"/usr/share/{man,info,locale,lintian}/* "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* \
    "$root"/var/cache/debconf/*-old "$root"/var/log/*
  tar -C "$root" --one-file-system -c . | docker import - payment-chaos/run-base >/dev/null
  rm -rf "$root"
}

# The same with what the compiler needs, this machine's Swift, and the packages that this clone has fetched already:
# git is told that they are here.
make_build_base() {
  local stage=$folder/build-base toolchain
  toolchain=$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")
  [[ -x $toolchain/bin/swift-build ]] || missing "the Swift in $toolchain is no toolchain"
  [[ -d .build/repositories ]] || swift package resolve
  mkdir -p "$stage/packages"
  local repository url
  for repository in .build/repositories/*/; do
    url=$(git -C "$repository" config remote.origin.url)
    url=${url#https://github.com/}
    mkdir -p "$stage/packages/$(dirname "$url")"
    cp -r "$repository" "$stage/packages/${url%.git}.git"
    ln -s "$(basename "${url%.git}").git" "$stage/packages/${url%.git}"
  done
  tar -C "$toolchain" --exclude='*lldb*' --exclude='lib/swift_static' --exclude='lib/swift/embedded' \
    -c bin lib libexec include share | tar -C "$(mkdir -p "$stage/usr" && echo "$stage/usr")" -x
  cat >"$stage/Dockerfile" <<'INNER'
FROM payment-chaos/run-base
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    binutils ca-certificates git gnupg libc6-dev libcurl4-openssl-dev libedit2 libgcc-12-dev libncurses6 \
    libpython3.11 libsqlite3-0 libstdc++-12-dev libxml2 libz3-4 pkg-config tzdata zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
COPY usr /usr/
COPY packages /packages
RUN git config --system url./packages/.insteadOf https://github.com/ && git config --system safe.directory '*'
INNER
  docker build --quiet --network host -t payment-chaos/build-base "$stage" >/dev/null
  rm -rf "$stage"
}

choose_bases() {
  local names
  mapfile -t names < <(sed -nE 's/^ARG (BUILD|RUN)_IMAGE=//p' docker/Dockerfile)
  if [[ ${IMAGE_TEST_BASES:-} != local ]] && timeout 600 docker pull --quiet "${names[1]}" >/dev/null 2>&1 &&
    timeout 1200 docker pull --quiet "${names[0]}" >/dev/null 2>&1; then
    say "bases: ${names[*]}"
    bases=()
    return
  fi
  say "bases: made here, for ${names[*]} cannot be had"
  need_root "debootstrap makes them"
  install_missing debootstrap debootstrap git git
  has_image payment-chaos/run-base || make_run_base
  has_image payment-chaos/build-base || make_build_base
  bases=(--build-arg BUILD_IMAGE=payment-chaos/build-base --build-arg RUN_IMAGE=payment-chaos/run-base)
}

# --- the image --------------------------------------------------------------------------------------------------------

build_image() {
  say "building $image"
  docker build --network host "${bases[@]}" --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
    -t "$image" -f docker/Dockerfile . >"$folder/build.log" 2>&1 || { tail -n 40 "$folder/build.log"; fail "the image was not built"; }
  local bytes
  bytes=$(docker image inspect --format '{{.Size}}' "$image")
  say "$image is $(( bytes / 1000000 )) MB"
  (( bytes < max_megabytes * 1000000 )) || fail "it is over $max_megabytes MB"
}

# With what no container of the system has, and what every one has to stand.
run_alone() {
  docker run --rm --network none --read-only --cap-drop ALL --security-opt no-new-privileges:true --user 10001:10001 "$@"
}

check_image() {
  local code=0 output
  [[ $(docker image inspect --format '{{.Config.User}}' "$image") == 10001:10001 ]] || fail "it runs as root"
  output=$(run_alone -e SERVICE_TYPE=bank "$image" 2>&1) || code=$?
  [[ $code == 78 && $output == *SERVICE_TYPE=bank* ]] || fail "a wrong SERVICE_TYPE ends with $code: $output"
  run_alone "$image" bash -c '! ldd bin/*-service bin/scenario-runner | grep "not found"' || fail "a library is missing"
  output=$(run_alone "$image" scenario-runner --help 2>&1) || fail "the runner does not run: $output"
  run_alone "$image" bash -c 'test -f bin/payment-chaos_ScenarioRunner.resources/Public/index.html &&
    ls chaos-experiments/*.yaml ScenarioRunner/load-profiles/*.yaml ScenarioRunner/load-profiles/locust/*.py' >/dev/null ||
    fail "experiments, profiles or the page are missing"
  say "it runs without rights, on a file system that it cannot write to"
}

start_engine
choose_client
choose_bases
build_image
check_image
. docker/image-test-system.sh
