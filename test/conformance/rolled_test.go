//go:build conformance

package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"slipway/internal/app"
	"slipway/internal/local"
	"slipway/internal/record"
	"slipway/test/e2e/up"
)

const (
	// rolled is how long a step of a rollout may take to be seen, on a loaded machine.
	rolled   = 3 * time.Minute
	orderKey = "in-cluster/production/order-service"
	shop     = app.Name("argocd/order-service")
)

// plugin is kubectl's, unmodified; `make plugin` builds it.
var plugin = os.Getenv("SLIPWAY_PLUGIN")

// rolling is a `slipway up` in watch mode with a cluster and a Prometheus of its own, and a person with the plugin.
type rolling struct {
	*up.Process
	*up.Repo
	t *testing.T
}

func newRolling(t *testing.T) *rolling {
	t.Helper()
	if plugin == "" {
		t.Fatal("SLIPWAY_PLUGIN names no plugin: make plugin")
	}
	p := up.Start(t, up.Options{Root: "myorg/k8s-config:argocd", Watch: true})
	r := &rolling{p, p.Repo("myorg/k8s-config"), t}
	r.declare("      selfHeal: true\n")
	return r
}

// declare writes the Application of the folder apps.
func (r *rolling) declare(automated string) {
	r.Write(map[string]string{"argocd/order-service.yaml": `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: order-service, namespace: argocd}
spec:
  source: {repoURL: https://github.com/myorg/k8s-config, path: apps, targetRevision: main}
  destination: {server: https://kubernetes.default.svc, namespace: production}
  syncPolicy:
    syncOptions: [CreateNamespace=true]
    automated:
      prune: true
` + automated})
}

const twoServices = `apiVersion: v1
kind: Service
metadata: {name: order-service-stable}
spec: {selector: {app: order-service}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: order-service-canary}
spec: {selector: {app: order-service}, ports: [{port: 80}]}
`

// awaits waits until the rollout is as ok says.
func (r *rolling) awaits(what string, ok func(local.Rollout) bool) local.Rollout {
	r.t.Helper()
	return up.Until(r.t, rolled, what, func() (local.Rollout, bool, string) {
		v, err := r.Client.Rollout(r.t.Context(), orderKey)
		return v, err == nil && ok(v), fmt.Sprintf("%+v, %v", v, err)
	})
}

// kubectl is the plugin: verb, what it is about, and flags.
func (r *rolling) kubectl(args ...string) string {
	r.t.Helper()
	out, err := r.tries(args...)
	if err != nil {
		r.t.Fatalf("kubectl argo rollouts %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return out
}

// tries is kubectl for what may fail: the status of a degraded rollout does.
func (r *rolling) tries(args ...string) (string, error) {
	cmd := exec.CommandContext(r.t.Context(), plugin, append(args, "-n", "production", "--kubeconfig", r.Kubeconfig)...) //nolint:gosec // the test's own arguments
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func runs(v local.Rollout, role, tag string) bool {
	for _, s := range v.Sets {
		if s.Role == role && strings.HasSuffix(s.Image, ":"+tag) {
			return s.Available > 0
		}
	}
	return false
}

func healthyAt(tag string) func(local.Rollout) bool {
	return func(v local.Rollout) bool {
		return v.Phase == "Healthy" && v.Stage == record.Healthy && runs(v, "stable", tag)
	}
}

func pausedAt(step int, tag string) func(local.Rollout) bool {
	return func(v local.Rollout) bool { return v.Phase == "Paused" && v.Step == step && runs(v, "canary", tag) }
}

// The tutorial's Rollout and AnalysisTemplate, as they are: its canary pauses for ten minutes at 10 %, which a person ends;
// the analysis asks the cluster's Prometheus by the tutorial's own address.
func TestTheTutorialsRolloutIsDrivenUnchanged(t *testing.T) {
	t.Parallel()
	r := newRolling(t)
	r.Copy(original("rollout.yaml"), "apps/rollout.yaml")
	r.Copy(original("analysistemplate.yaml"), "apps/analysistemplate.yaml")
	r.Write(map[string]string{"apps/services.yaml": twoServices})
	r.Push("The tutorial's rollout")
	r.awaits("its first revision is stable", healthyAt("1.2.0"))
	r.Edit("apps/rollout.yaml", "order-service:1.2.0", "order-service:1.3.0")
	sha := r.Push("Release 1.3.0")
	v := r.awaits("it pauses at 10 %", pausedAt(1, "1.3.0"))
	if v.SetWeight != 10 || v.Origin != (record.Origin{Application: string(shop), Commit: sha}) {
		t.Errorf("%+v", v)
	}
	r.kubectl("promote", "order-service")
	v = r.awaits("its analysis has measured", func(v local.Rollout) bool {
		return v.Step == 2 && len(v.Analyses) == 1 && len(v.Analyses[0].Metrics) == 1 && v.Analyses[0].Metrics[0].Successful > 0
	})
	if m := v.Analyses[0].Metrics[0]; m.Failed > 0 { // an error is measured again: a rate needs two scrapes
		t.Errorf("%+v", m)
	}
	r.kubectl("promote", "order-service", "--full")
	r.awaits("it is promoted", healthyAt("1.3.0"))
	if a := r.Application(shop); a.Status != "Synced" || len(a.Drift) > 0 {
		t.Errorf("in the end: %s, drift %+v", up.Say(a), a.Drift)
	}
}
