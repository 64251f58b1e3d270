// Package crds holds the definitions of Argo Rollouts' five kinds, as `make crds` generates them from its API types: for
// clusters in which no Argo controller has brought them. The plugin for kubectl waits for all five, so Experiment is
// among them though Slipway runs none (pkg/kubectl-argo-rollouts/viewcontroller).
//
// The pod template of a Rollout has a full schema, without descriptions: the API server then refuses a misspelt field,
// and keeps apart who owns which container and variable as it does in a Deployment, which is how drift is told. The
// definitions that Argo Rollouts publishes are as full, but for volumes and resources, in which they keep whatever is
// written, for the sake of Kubernetes 1.17.
package crds

import _ "embed" // the definitions

// YAML is the five definitions in one stream. That of Rollout is too large for the annotation of a client-side apply.
//
//go:embed crds.yaml
var YAML string
