#!/bin/bash
# Builds Traefik, a router of the Gateway API, into .cache/traefik-VERSION-GO, unless it is there, and prints its path as the
# last line of standard output. The definitions of the Gateway API that it is made for lie beside it, in PATH-crds.
#
# As in test/plugin the module is copied and built where it lies, for its replace directives. v3.6.12 is the newest whose
# modules can all be had: v3.7.13 asks for one that the module proxy has not got.
set -euo pipefail
version=v3.6.12
cd "$(dirname "$0")/../.."
bin=$PWD/.cache/traefik-$version-$(go env GOVERSION)

if [ ! -x "$bin" ]; then
  echo "router: building traefik $version, 140 MB; 6 minutes of two idle cores when nothing is cached" >&2
  export GOWORK=off GOFLAGS=-mod=mod CGO_ENABLED=0
  dir=$(mktemp -d)
  trap 'rm -rf "$dir" "$bin.$$"' EXIT
  folder_of() { go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'; } # MODULE[@VERSION]

  traefik=$(cd "$dir" && folder_of "github.com/traefik/traefik/v3@$version")
  cp -r "$traefik/." "$dir"
  chmod -R u+w "$dir"
  cd "$dir"

  # Its list of all DNS hosts brings the SDKs of a hundred of them, 750 packages of 2,400. Nobody asks for certificates
  # here, so the list is empty.
  lego=$(folder_of github.com/go-acme/lego/v4)
  cp -r "$lego" lego
  chmod -R u+w lego
  cat >lego/providers/dns/zz_gen_dns_providers.go <<'END'
package dns

import (
	"errors"

	"github.com/go-acme/lego/v4/challenge"
)

func NewDNSChallengeProviderByName(name string) (challenge.Provider, error) {
	return nil, errors.New("no DNS host is compiled in: " + name)
}
END
  go mod edit -replace github.com/go-acme/lego/v4=./lego

  crds=$(folder_of sigs.k8s.io/gateway-api)
  mkdir -p "$bin-crds"
  install -m 644 "$crds"/config/crd/standard/*.yaml "$bin-crds"
  go build -trimpath -ldflags='-s -w' -o "$bin.$$" ./cmd/traefik
  mv -f "$bin.$$" "$bin" # last and in one step: who finds the file finds all of it
  echo "router: built in $SECONDS s" >&2
fi
echo "$bin"
