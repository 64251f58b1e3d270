package traffic

import (
	"strings"
	"testing"

	"slipway/internal/fault"
)

func TestAServiceIsPointedAtOneRevision(t *testing.T) {
	s := object(t, "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {app: web}, ports: [{port: 80}]}}")
	if got := Selected(s); got != "" {
		t.Errorf("selects %q", got)
	}
	out, err := Select(s, "web", "abc")
	if err != nil || Selected(out) != "abc" || out.GetAnnotations()["argo-rollouts.argoproj.io/managed-by-rollouts"] != "web" {
		t.Fatalf("%v %v", out, err)
	}
	if Selected(s) != "" {
		t.Error("the Service that was read has changed")
	}
	if again, err := Select(out, "web", "abc"); again != nil || err != nil {
		t.Errorf("again: %v %v", again, err)
	}
	if next, err := Select(out, "web", "def"); err != nil || Selected(next) != "def" {
		t.Errorf("%v %v", next, err)
	}
	if _, err := Select(out, "shop", "def"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "Service shop/web: is held by Rollout web") {
		t.Errorf("%v", err)
	}
}

func TestASelectorThatIsNoMapIsRefused(t *testing.T) {
	s := object(t, "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: web}}")
	if _, err := Select(s, "web", "abc"); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
}
