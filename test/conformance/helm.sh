#!/bin/bash
# Builds Helm's own program into .cache/helm/VERSION/helm, unless it is there, and prints its path as the last line of
# standard output. VERSION is that of the Helm that slipway links. It is built in a module of its own, for it needs
# modules that slipway does not have, and at the versions that Helm chose.
set -euo pipefail
cd "$(dirname "$0")/../.."
export CGO_ENABLED=0 GOWORK=off GOFLAGS=
module=helm.sh/helm/v3
version=$(go list -m -f '{{.Version}}' $module)
dir=$PWD/.cache/helm/$version
bin=$dir/helm

# Templates can see the version, so it is set as a release has it; without it Helm says v3.22 and not v3.22.0.
if [ "$("$bin" version --template '{{.Version}}' 2>/dev/null || true)" != "$version" ]; then
  echo "helm: building $version, a minute the first time" >&2
  mkdir -p "$dir"
  new=$(mktemp -d "$dir/new.XXXXXX")
  trap 'rm -rf "$new"' EXIT
  printf 'module peer\n\ngo 1.26\n\nrequire %s %s\n' $module "$version" >"$new/go.mod"
  (cd "$new" && go build -mod=mod -trimpath -ldflags="-s -w -X $module/internal/version.version=$version" -o helm $module/cmd/helm) >&2
  mv -f "$new/helm" "$bin" # in one step: who finds the file finds all of it
fi
echo "$bin"
