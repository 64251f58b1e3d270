# `make demo` runs the main job, `make test` passes the tests. `make` lists the rest.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# Pinned: what passes must not change with somebody else's release.
LINT_VERSION := v2.15.0
LINT := .cache/bin/golangci-lint-$(LINT_VERSION)
CONTROLLER_GEN_VERSION := v0.23.0
CONTROLLER_GEN := .cache/bin/controller-gen-$(CONTROLLER_GEN_VERSION)

# Static binaries everywhere; only the race detector needs cgo, and so a C compiler.
export CGO_ENABLED := 0
# A go.work above us would unify our versions with Kubernetes' own (test/devkube).
export GOWORK := off
export SLIPWAY_DEVKUBE := $(CURDIR)/.cache/devkube/current/devkube
# Where it is not built, the demo sends the patch that it would.
export SLIPWAY_PLUGIN := $(wildcard $(CURDIR)/.cache/kubectl-argo-rollouts-v1.8.3)

GO_BUILD := go build -trimpath -ldflags='-s -w'
FUNCTIONS := $(patsubst functions/%/main.go,%,$(wildcard functions/*/main.go))

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "make %-13s %s\n", $$1, $$2}'

.PHONY: demo
demo: build devkube ## pushes, reverts, edits by hand, canaries: the main job, each step seen in a cluster; SPEED=200
	./bin/slipway demo --speed $(or $(SPEED),200)

.PHONY: test
test: devkube ## all tests with the race detector, against a real Kubernetes API server
	CGO_ENABLED=1 go test -race -tags cluster -timeout 30m ./...
	go test ./test/sim/rollout # every state; the race detector's are a part
	cd test/devkube && go test -trimpath ./...

.PHONY: unit
unit: ## the hermetic tests only: seconds
	go test ./...

.PHONY: build
build: ## bin/slipway and bin/functions/NAME/bootstrap
	$(GO_BUILD) -o bin/slipway .
	$(foreach f,$(FUNCTIONS),$(GO_BUILD) -tags lambda.norpc -o bin/functions/$(f)/bootstrap ./functions/$(f);)

.PHONY: devkube
devkube: ## etcd, API server, controllers, scheduler, KWOK nodes as one binary; minutes the first time
	@test/devkube/build.sh >/dev/null

.PHONY: plugin
plugin: ## kubectl's plugin for Argo Rollouts, unmodified, for tests; minutes the first time
	@test/plugin/build.sh

.PHONY: devkube-soak
devkube-soak: devkube ## start and stop it ROUNDS=50 times: ready each time, nothing left
	SLIPWAY_SOAK=$(or $(ROUNDS),50) go test -tags cluster -count 1 -v -timeout 60m \
		-run TestAClusterStartedAndStopped ./internal/local/devkube

.PHONY: check
check: vet fmt lint arch crds-check ## what a reviewer should not have to say

.PHONY: vet
vet:
	go vet -tags cluster,conformance ./...

.PHONY: fmt
fmt:
	@files=$$(gofmt -l main.go functions infra internal test); \
	if [ -n "$$files" ]; then echo "gofmt -w these:"; echo "$$files"; exit 1; fi

.PHONY: lint
lint: $(LINT) ## golangci-lint, the pinned one
	$(LINT) run ./...

$(LINT):
	GOBIN=$(CURDIR)/.cache/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv .cache/bin/golangci-lint $@

.PHONY: arch
arch: ## imports go down, one SDK has one home, files are short
	go test ./test/arch

# From the API types that go.mod names. Without descriptions, which are most of what a schema weighs; with the metadata of
# pod templates, whose labels would be pruned otherwise.
GENERATE_CRDS := $(CONTROLLER_GEN) crd:maxDescLen=0,generateEmbeddedObjectMeta=true output:crd:stdout \
	paths=github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1 | go run ./infra/crds/generate

.PHONY: crds
crds: $(CONTROLLER_GEN) ## infra/crds from the API types of Argo Rollouts
	$(GENERATE_CRDS) >.cache/crds.yaml
	mv .cache/crds.yaml infra/crds/crds.yaml

.PHONY: crds-check
crds-check: $(CONTROLLER_GEN)
	@$(GENERATE_CRDS) | cmp - infra/crds/crds.yaml || { echo "infra/crds is not what is generated: make crds"; exit 1; }

$(CONTROLLER_GEN):
	GOBIN=$(CURDIR)/.cache/bin go install sigs.k8s.io/controller-tools/cmd/controller-gen@$(CONTROLLER_GEN_VERSION)
	mv .cache/bin/controller-gen $@

.PHONY: router
router: devkube ## 2,000 requests at each weight of a canary, through a real router; minutes the first time
	SLIPWAY_ROUTER=$$(test/router/build.sh) go test -tags conformance -count 1 -v -timeout 20m ./test/router

.PHONY: conformance
conformance: devkube plugin ## the tutorial's manifests in TUTORIAL=DIR and kubectl's plugin, unchanged
	SLIPWAY_PLUGIN=$$(test/plugin/build.sh) SLIPWAY_TUTORIAL=$(abspath $(TUTORIAL)) go test -tags conformance -count 1 -v -timeout 20m ./test/conformance/...

.PHONY: bench
bench: build devkube ## one table and .cache/bench.json; RUN=REGEXP picks rows; the first run fills clusters for minutes
	go run ./test/bench -run '$(RUN)'

.PHONY: soak
soak: build devkube ## watch mode over 10,000 objects for MINUTES=10: memory and requests stay flat, no heal is lost
	go run ./test/bench -run '^soak_' -soak $(or $(MINUTES),10)m -o .cache/soak.json

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME=30s
	@for p in $$(go list ./...); do \
	  for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
	    echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(or $(FUZZTIME),30s) $$p; \
	  done; \
	done

.PHONY: clean
clean: ## what was built here; Go's own caches stay
	rm -rf bin .cache
