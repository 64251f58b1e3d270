package kube

import (
	"slipway/internal/analysis"
	"slipway/internal/rollout/drive"
)

// What the core packages ask of a cluster, this one gives.
var (
	_ drive.Cluster    = (*RolloutClient)(nil)
	_ analysis.Secrets = (*Cluster)(nil)
)
