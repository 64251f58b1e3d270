package main

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"slipway/internal/drift"
	"slipway/test/cluster"
)

// sweepEdits objects are edited, each of another application.
const sweepEdits = 100

// edits changes objects by hand, has one sweep find and heal them, and counts what that wrote.
func (c *crowd) edits(ctx context.Context, s *sweepProcess, r *results) error {
	if err := c.edit(ctx); err != nil {
		return fmt.Errorf("edit objects: %w", err)
	}
	if err := c.audit.skip(); err != nil {
		return err
	}
	t, err := s.once(ctx)
	if err != nil {
		return err
	}
	got, err := c.audit.rest()
	if err != nil {
		return err
	}
	healed := 0
	for _, f := range t.Report.Findings {
		if f.Outcome == drift.Drifted && f.Healed && len(f.Fields) > 0 {
			healed++
		}
	}
	if t.Report.Suspects != sweepEdits || healed != sweepEdits {
		return fmt.Errorf("%d of %d edits were suspects, %d were healed: %.2000v", t.Report.Suspects, sweepEdits, healed, t.Report.Findings)
	}
	after, err := s.quiet(ctx, c.count)
	if err != nil {
		return errors.Join(errors.New("after the heals"), err)
	}
	r.value("sweep_100_edits_writes", float64(got.writes))
	r.note("sweep_100_edits: found and healed in one sweep of %.0f ms, %d dry runs, %d requests that read; the sweep after it: %d suspects",
		t.MS, got.dry, got.reads, after.Report.Suspects)
	return nil
}

// edit changes a field that git has in a Deployment, a Service or a ConfigMap of each of the first applications.
func (c *crowd) edit(ctx context.Context) error {
	cfg, err := clientcmd.BuildConfigFromFlags("", c.cluster.Kubeconfig)
	if err != nil {
		return err
	}
	cfg.UserAgent, cfg.QPS = "bench", -1
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	by := metav1.PatchOptions{FieldManager: "kubectl-edit"}
	for i := range sweepEdits {
		objects, err := cluster.CrowdSet(i)
		if err != nil {
			return err
		}
		kinds := map[string]*unstructured.Unstructured{}
		for _, u := range objects {
			kinds[u.GetKind()] = u
		}
		switch i % 3 {
		case 0:
			u := kinds["Deployment"]
			_, err = client.AppsV1().Deployments(u.GetNamespace()).Patch(ctx, u.GetName(), types.MergePatchType, []byte(`{"spec":{"revisionHistoryLimit":7}}`), by)
		case 1:
			u := kinds["Service"]
			_, err = client.CoreV1().Services(u.GetNamespace()).Patch(ctx, u.GetName(), types.MergePatchType, []byte(`{"spec":{"selector":{"app":"other"}}}`), by)
		default:
			u := kinds["ConfigMap"]
			_, err = client.CoreV1().ConfigMaps(u.GetNamespace()).Patch(ctx, u.GetName(), types.MergePatchType, []byte(`{"data":{"LOG_LEVEL":"debug"}}`), by)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
