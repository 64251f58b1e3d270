//go:build conformance

// Package conformance runs manifests that others wrote, unchanged. `make conformance TUTORIAL=DIR` names the folder of
// the tutorial's originals; without it, or without one of its files, the tests fail.
package conformance

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway/internal/local"
	"slipway/test/cluster"
	"slipway/test/e2e/up"
)

// sample is our own chart in the tutorial's shape: complete, where the tutorial shows a part.
const sample = "../../internal/local/demo/k8s-config/apps/order-service"

var tutorial = flag.String("tutorial", os.Getenv("SLIPWAY_TUTORIAL"), "folder of the tutorial's manifests")

func TestMain(m *testing.M) {
	flag.Parse()
	if err := complete(*tutorial); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(up.Main(m, "../.."))
}

// complete reports what is missing. A tier that skips itself passes for ever.
func complete(dir string) error {
	if dir == "" {
		return fmt.Errorf("conformance: name the tutorial's folder: make conformance TUTORIAL=DIR")
	}
	for _, f := range []string{"application.yaml", "applicationset.yaml", "chart-deployment.yaml", "values.yaml", "values-production.yaml", "rollout.yaml", "analysistemplate.yaml"} {
		if _, err := os.Stat(filepath.Join(dir, f)); err != nil {
			return fmt.Errorf("conformance: %w", err)
		}
	}
	return nil
}

func original(name string) string { return filepath.Join(*tutorial, name) }

func declared(local.Application) bool { return true }

// partial is a chart of the tutorial's own files; the head and the helpers, which it does not show, are ours.
func partial(r *up.Repo) {
	for from, to := range map[string]string{
		sample + "/Chart.yaml": "Chart.yaml", sample + "/templates/_helpers.tpl": "templates/_helpers.tpl",
		original("values.yaml"): "values.yaml", original("values-production.yaml"): "values-production.yaml",
		original("chart-deployment.yaml"): "templates/deployment.yaml",
	} {
		r.Copy(from, "apps/order-service/"+to)
	}
}

func TestTheApplicationAndTheApplicationSetWorkUnchanged(t *testing.T) {
	staging := cluster.Own(t)
	tu := up.Tutorial{
		Application: original("application.yaml"), ApplicationSet: original("applicationset.yaml"), Chart: sample,
		Here: cluster.Kubeconfig(), Staging: staging.Kubeconfig,
	}
	p, r := tu.Start(t)
	tu.SetIsRegisteredAndSyncedByHand(t, p, r)
	r.Copy(tu.Application, "argocd/application.yaml")
	sha := r.Push("Declare the Application")
	p.Awaits(up.OrderService, up.Seen, "declared", declared)
	p.Applied(up.OrderService, sha)
	d, err := up.Client(t, tu.Here).AppsV1().Deployments("production").Get(t.Context(), "order-service", metav1.GetOptions{})
	if err != nil || *d.Spec.Replicas != 5 || !strings.HasSuffix(d.Spec.Template.Spec.Containers[0].Image, ":1.2.0") {
		t.Errorf("Deployment %v, %v", d.Spec, err)
	}
}

func TestTheDeploymentRendersUnchangedAndItsRefusalIsShownWithFileAndPath(t *testing.T) {
	p := up.Start(t, up.Options{Kubeconfig: cluster.Kubeconfig(), Root: "myorg/k8s-config:argocd"})
	r := p.Repo("myorg/k8s-config")
	partial(r)
	r.Copy(original("application.yaml"), "argocd/application.yaml")
	out, errs, code := up.Run(t, "render", original("application.yaml"), "--source", r.Tree)
	if code != 0 {
		t.Fatalf("slipway render: exit code %d: %s", code, errs)
	}
	for _, want := range []string{"# Source: apps/order-service/templates/deployment.yaml\n", "kind: Deployment\n", "replicas: 5\n", "image: myorg/order-service:1.2.0\n", "memory: 512Mi\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("rendered without %q:\n%s", want, out)
		}
	}
	sha := r.Push("The tutorial's Deployment")
	p.Awaits(up.OrderService, up.Seen, "declared", declared)
	reason := p.Refused(up.OrderService, sha)
	for _, want := range []string{"apps/order-service/templates/deployment.yaml", "spec.selector", "Required value"} {
		if !strings.Contains(reason, want) {
			t.Errorf("the refusal does not say %q: %s", want, reason)
		}
	}
}
