package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"slipway/test/cluster"
)

// statuses writes to the status of Deployments that nobody edits, as controllers do all day in a cluster that is used: a
// watch is told of each write, and none is drift.
func (w *watcher) statuses(ctx context.Context, length time.Duration) error {
	deployments := crowdKinds[schema.GroupKind{Group: "apps", Kind: "Deployment"}]
	dice := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // can be repeated
	t := time.NewTicker(soakStatus)
	defer t.Stop()
	for range length / soakStatus {
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		objects, err := cluster.CrowdSet(targetApplications + dice.IntN(cluster.CrowdApplications(sweepObjects)-targetApplications))
		if err != nil {
			return err
		}
		u := objects[0] // a Deployment, as are all first ones
		body := fmt.Sprintf(`{"status":{"conditions":[{"type":"example.com/Load","status":"True","reason":"Measured","message":"%d"}]}}`, dice.IntN(1e9))
		_, err = w.client.Resource(deployments).Namespace(u.GetNamespace()).Patch(ctx, u.GetName(), types.StrategicMergePatchType, []byte(body),
			metav1.PatchOptions{FieldManager: "load"}, "status")
		if err != nil {
			return fmt.Errorf("write status of %s: %w", u.GetName(), err)
		}
	}
	return nil
}
