#!/usr/bin/env bash
# Builds the four executables and puts them into /bundle with what they need beside Debian's packages: bin/ with the
# page's files, and lib/ with the one copy of Swift's runtime that they share. The arguments are for swift build.
set -euo pipefail

# Package.swift speaks of the tests as well, which are no part of the image.
grep -oE 'path: "Tests/[^"]+"' Package.swift | cut -d '"' -f 2 | while read -r folder; do
  mkdir -p "$folder"
  touch "$folder/Nothing.swift"
done

swift build -c release "$@"

built=$(swift build -c release "$@" --show-bin-path)
executables=(payment-service inventory-service notification-service scenario-runner)
mkdir -p /bundle/bin /bundle/lib
for executable in "${executables[@]}"; do
  strip -o "/bundle/bin/$executable" "$built/$executable"
done
cp -r "$built/payment-chaos_ScenarioRunner.resources" /bundle/bin/

runtime=$(ldd "${executables[@]/#/$built/}" | sed -nE 's|.*=> (.*/swift/linux/.*\.so) .*|\1|p' | sort -u)
for library in $runtime; do
  strip -o "/bundle/lib/$(basename "$library")" "$library"
done
chmod -R go+rX /bundle
