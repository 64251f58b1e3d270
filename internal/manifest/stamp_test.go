package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation"
)

func TestStampAddsOursAndKeepsTheRest(t *testing.T) {
	o := one(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, labels: {a: b, n: 1}, annotations: {x: z, slipway.dev/fence: '5'}}")
	Stamp(o.Unstructured, "argocd/web", "sha256:00", 0)
	want := one(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, labels: {a: b, n: 1, slipway.dev/application: "+LabelFor("argocd/web")+"}, annotations: {x: z, slipway.dev/application: argocd/web, slipway.dev/digest: 'sha256:00'}}")
	if diff := cmp.Diff(want.Object, o.Object); diff != "" {
		t.Error(diff)
	}
	Stamp(o.Unstructured, "argocd/web", "sha256:00", 18446744073709551615)
	if got := o.GetAnnotations()[FenceNote]; got != "18446744073709551615" {
		t.Errorf("fence %q", got)
	}
}

func TestALabelIsValidReadableAndItsOwn(t *testing.T) {
	seen := map[string]string{}
	for _, app := range []string{
		"argocd/order-service", "argocd/order", "team/order-service", "a/b", "x/" + strings.Repeat("long-", 60),
		"x/" + strings.Repeat("long-", 60) + "2", "x/" + strings.Repeat("a", 45) + "-----b", "x/-.-", "x/ümlaut", "x/", "plain", "",
	} {
		l := LabelFor(app)
		if faults := validation.IsValidLabelValue(l); len(faults) > 0 || l == "" {
			t.Errorf("%q for %.60q: %v", l, app, faults)
		}
		if other, ok := seen[l]; ok {
			t.Errorf("%q and %q share %q", app, other, l)
		}
		seen[l] = app
		if l != LabelFor(app) {
			t.Errorf("%q has two labels", app)
		}
	}
	if l := LabelFor("argocd/order-service"); !strings.HasPrefix(l, "order-service-") {
		t.Errorf("%q does not say order-service", l)
	}
}

func FuzzLabelFor(f *testing.F) {
	f.Add("argocd/web")
	f.Add("\xff/..")
	f.Fuzz(func(t *testing.T, app string) {
		if faults := validation.IsValidLabelValue(LabelFor(app)); len(faults) > 0 {
			t.Errorf("%q: %v", LabelFor(app), faults)
		}
	})
}
