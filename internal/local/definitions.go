package local

import (
	"context"
	"fmt"

	"slipway/infra/crds"
	"slipway/internal/kube"
	"slipway/internal/manifest"
)

// define installs the definitions of Rollout and its like in the cluster that this process has started. A cluster that
// was given has them from an Application, or by `slipway crds`.
func define(ctx context.Context, c *kube.Cluster) error {
	objects, err := manifest.ParseYAML("infra/crds/crds.yaml", []byte(crds.YAML))
	if err != nil {
		return err
	}
	for _, o := range objects {
		if _, _, err := c.Apply(ctx, o.Unstructured, false); err != nil {
			return fmt.Errorf("install definitions: %w", err)
		}
	}
	for _, o := range objects {
		if err := c.Established(ctx, o.GetName()); err != nil {
			return fmt.Errorf("install definitions: %w", err)
		}
	}
	return nil
}
