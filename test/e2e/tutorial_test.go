//go:build cluster

package e2e

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway/test/cluster"
	"slipway/test/e2e/up"
)

// sample is what the demo pushes: manifests in the tutorial's shape, and complete.
const sample = "../../internal/local/demo/k8s-config"

func TestManifestsInTheTutorialsShapeWorkAsTheyAre(t *testing.T) {
	t.Parallel()
	staging := cluster.Own(t)
	tu := up.Tutorial{
		Application: sample + "/argocd/order-service.yaml", ApplicationSet: "testdata/applicationset.yaml", Chart: sample + "/apps/order-service",
		Here: cluster.Kubeconfig(), Staging: staging.Kubeconfig,
	}
	p, r := tu.Start(t)
	tu.SetIsRegisteredAndSyncedByHand(t, p, r)

	r.Copy(tu.Application, "argocd/application.yaml")
	sha := r.Push("Declare the Application")
	p.Awaits(up.OrderService, up.Seen, "declared", there)
	p.Applied(up.OrderService, sha)
	d, err := up.Client(t, tu.Here).AppsV1().Deployments("production").Get(t.Context(), "order-service", metav1.GetOptions{})
	if err != nil || *d.Spec.Replicas != 5 || !strings.HasSuffix(d.Spec.Template.Spec.Containers[0].Image, ":1.2.0") {
		t.Errorf("Deployment %v, %v", d.Spec, err)
	}
	// Another commit waits for a person where nothing is automated, and only there.
	r.Edit("apps/order-service/values-production.yaml", "1.2.0", "1.3.0")
	sha = r.Push("1.3.0")
	p.Applied(up.OrderService, sha)
	a := p.Awaits("argocd/order-service-production", up.Seen, "waiting", func(a known) bool { return up.Wants(a, sha) })
	if a.Status != "OutOfSync" {
		t.Errorf("not automated, and applied: %s", up.Say(a))
	}
	if err := up.Client(t, tu.Here).CoreV1().Namespaces().Delete(t.Context(), "production", metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}

// The tutorial's Deployment has no selector, which no API server takes. What it says is shown with the file and the
// path, and nothing of the push is applied.
func TestTheServersRefusalOfATemplateIsShownWithItsFileAndPath(t *testing.T) {
	t.Parallel()
	w := given(t)
	w.declare("web")
	w.Write(map[string]string{
		"web/Chart.yaml":              chart("web"),
		"web/values.yaml":             "tag: a\n",
		"web/templates/settings.yaml": configMap("settings", "tag", "{{ .Values.tag }}"),
		"web/templates/deployment.yaml": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          image: "web:{{ .Values.tag }}"
`,
	})
	sha := w.Push("A Deployment without a selector")
	w.Awaits(w.app("web"), up.Seen, "declared", there)
	reason := w.Refused(w.app("web"), sha)
	for _, want := range []string{"web/templates/deployment.yaml", "spec.selector", "Required value"} {
		if !strings.Contains(reason, want) {
			t.Errorf("the refusal does not say %q: %s", want, reason)
		}
	}
	if got := w.labelled(w.app("web")); len(got) != 0 {
		t.Errorf("the refused push has applied %v", got)
	}
	if out, errs, code := w.Run("app", "sync", string(w.app("web"))); code != 1 || !strings.Contains(errs, "spec.selector") {
		t.Errorf("slipway app sync: exit code %d: %s%s", code, out, errs)
	}
}
