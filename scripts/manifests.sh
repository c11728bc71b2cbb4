#!/usr/bin/env bash
# Puts k8s/deployment.yaml together from the files of k8s/base, in the order of its kustomization.yaml: for those who have
# kubectl and nothing else. A test compares the two.
set -euo pipefail
cd "$(dirname "$0")/../k8s"

{
  echo '# The whole system on one node: kubectl apply -f k8s/deployment.yaml'
  echo '#'
  echo '# Made by `make manifests` from the files of k8s/base: change it there.'
  sed -n 's/^  - //p' base/kustomization.yaml | while read -r file; do
    echo ---
    cat "base/$file"
  done
} >deployment.yaml
