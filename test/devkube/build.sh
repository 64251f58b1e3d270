#!/bin/bash
# Builds devkube into .cache/devkube/HASH/devkube, unless it is there, points .cache/devkube/current at it and
# prints its path as the last line of standard output. HASH covers everything that the binary is made of.
set -euo pipefail
cd "$(dirname "$0")"
cache=$(cd ../.. && pwd)/.cache/devkube

sum() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; }
sources() { find . -name '*.go' ! -name '*_test.go' -o -name '*.yaml' -o -name go.mod -o -name go.sum -o -name build.sh | LC_ALL=C sort; }
hash=$({ go version; while read -r f; do echo "$f"; cat "$f"; done < <(sources); } | sum | cut -c1-16)
bin=$cache/$hash/devkube

# Goes through standard error: 2,900 packages take 5 to 6 minutes on two idle cores when nothing is cached.
progress() { # PID LOG TOTAL
  local t=0
  while kill -0 "$1" 2>/dev/null; do
    sleep 1
    t=$((t + 1))
    if [ $((t % 10)) -eq 0 ]; then
      echo "devkube: building for ${t} s, $(wc -l <"$2") packages compiled, $3 at most" >&2
    fi
  done
}

if [ ! -x "$bin" ]; then
  mkdir -p "$cache/$hash"
  log=$cache/$hash/build.log
  # No cgo and -trimpath: a static binary that is the same wherever it is built, and one build cache for both.
  export CGO_ENABLED=0 GOWORK=off
  version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
  total=$(go list -deps . | wc -l)
  x=k8s.io/component-base/version # without a version in it kubectl cannot read the server's
  echo "devkube: building Kubernetes $version, $total packages at most; minutes the first time, seconds after" >&2
  go build -v -trimpath -o "$bin.$$" -ldflags "-s -w -X $x.gitVersion=$version -X $x.gitMajor=1 \
    -X $x.gitMinor=$(cut -d. -f2 <<<"$version") -X $x.gitTreeState=clean -X $x.gitCommit=devkube \
    -X $x.buildDate=1970-01-01T00:00:00Z" . 2>"$log" &
  pid=$!
  trap 'kill $pid 2>/dev/null || true; rm -f "$bin.$$"' EXIT
  progress $pid "$log" "$total"
  if ! wait $pid; then
    echo "devkube: the build failed:" >&2
    tail -20 "$log" >&2
    exit 1
  fi
  mv -f "$bin.$$" "$bin" # in one step: who finds the file finds all of it
  echo "devkube: built in $SECONDS s" >&2
fi
if [ "$(readlink "$cache/current" || true)" != "$hash" ]; then
  ln -sfn "$hash" "$cache/current"
fi
echo "$bin"
