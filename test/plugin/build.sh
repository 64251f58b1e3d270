#!/bin/bash
# Builds the plugin of kubectl for Argo Rollouts, unmodified, into .cache/kubectl-argo-rollouts-VERSION, unless it is
# there, and prints its path as the last line of standard output. Tests run it against what Slipway writes.
#
# `go install` refuses it, because its go.mod has replace directives, which hold only in the main module: so the module is
# copied and built where it lies. Its dashboard stays blank, since that needs a build of its pages.
set -euo pipefail
version=v1.8.3
cd "$(dirname "$0")/../.."
bin=$PWD/.cache/kubectl-argo-rollouts-$version

if [ ! -x "$bin" ]; then
  echo "plugin: building kubectl-argo-rollouts $version, 76 MB; 5 minutes of two idle cores when nothing is cached" >&2
  export GOWORK=off GOFLAGS=-mod=mod CGO_ENABLED=0
  dir=$(mktemp -d)
  trap 'rm -rf "$dir" "$bin.$$"' EXIT
  module=$(cd "$dir" && go mod download -json "github.com/argoproj/argo-rollouts@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  cp -r "$module/." "$dir"
  chmod -R u+w "$dir"
  mkdir -p .cache
  (cd "$dir" && go build -trimpath -ldflags='-s -w' -o "$bin.$$" ./cmd/kubectl-argo-rollouts)
  mv -f "$bin.$$" "$bin" # in one step: who finds the file finds all of it
  echo "plugin: built in $SECONDS s" >&2
fi
echo "$bin"
