package driftevent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/app"
	"slipway/internal/drift"
	"slipway/internal/manifest"
)

var (
	web      = manifest.ID{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"}
	settings = manifest.ID{Kind: "ConfigMap", Namespace: "shop", Name: "settings"}
)

// fought is a report of a field that an autoscaler sets again and again, beside one that was healed, an object that
// somebody deletes again and again, and a sidecar.
func fought() drift.Report {
	now := time.Now()
	at := func(f drift.Finding) drift.Located { return drift.Located{Application: "argocd/shop", Finding: f} }
	return drift.Report{
		Cluster: "swept", Applications: 3, Objects: 40, Suspects: 5, Judged: 4, Healed: 1, Skipped: 1, Events: 9, Requests: 12, Bytes: 4096, Milliseconds: 31,
		Findings: []drift.Located{
			at(drift.Finding{ID: web, Outcome: drift.Drifted, Healed: true, Seen: now, Fight: "autoscaler", Fields: []drift.Field{
				{Path: ".spec.replicas", Old: 3, New: "TOPSECRET", Manager: "autoscaler", Fight: "autoscaler"},
				{Path: ".spec.paused", Old: false, New: true, Manager: "kubectl-edit"},
			}}),
			at(drift.Finding{ID: web, Outcome: drift.Foreign, Seen: now, Fields: []drift.Field{{Path: `.spec.template.spec.containers[name="debug"]`, Manager: "kubectl"}}}),
			at(drift.Finding{ID: settings, Outcome: drift.Missing, Seen: now, Fight: "unknown"}),
			at(drift.Finding{ID: settings, Outcome: drift.Drifted, Seen: now, Wait: now.Add(time.Second), Fields: []drift.Field{{Path: ".data.a", Wait: now.Add(time.Second)}}}),
		},
	}
}

func TestTheAnswerIsCountsAndFightsAndNoValues(t *testing.T) {
	h, _ := handler(core{sweep: func(context.Context, app.Cluster) (drift.Report, error) { return fought(), nil }})
	out, err := h.Handle(t.Context(), event("swept"))
	if err != nil {
		t.Fatal(err)
	}
	out.Milliseconds = 0 // of this run
	b, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"cluster":"swept","mode":"sweep","applications":3,"objects":40,"events":9,"suspects":5,"judged":4,"healed":1,"skipped":1,` +
		`"requests":12,"bytes":4096,"milliseconds":0,"found":{"Drifted":2,"Foreign":1,"Missing":1},"fights":[` +
		`{"application":"argocd/shop","object":"Deployment.apps shop/web","field":".spec.replicas","manager":"autoscaler"},` +
		`{"application":"argocd/shop","object":"ConfigMap shop/settings","manager":"unknown"}]}`
	if d := cmp.Diff(want, string(b)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestAFightIsALineThatNamesTheOtherManager(t *testing.T) { // the alarm counts them
	h, lines := handler(core{sweep: func(context.Context, app.Cluster) (drift.Report, error) {
		return fought(), errors.New("one\ntwo")
	}})
	if _, err := h.Handle(t.Context(), event("swept")); err == nil {
		t.Error("the error is lost")
	}
	l := lines(t)
	if len(l) != 3 {
		t.Fatalf("log %v", l)
	}
	for i, want := range []map[string]any{
		{"level": "ERROR", "msg": "fight", "cluster": "swept", "application": "argocd/shop", "object": "Deployment.apps shop/web", "field": ".spec.replicas", "manager": "autoscaler"},
		{"level": "ERROR", "msg": "fight", "cluster": "swept", "application": "argocd/shop", "object": "ConfigMap shop/settings", "field": "", "manager": "unknown"},
		{
			"level": "ERROR", "msg": "drift", "cluster": "swept", "mode": "sweep", "applications": 3., "objects": 40., "events": 9., "suspects": 5., "judged": 4.,
			"healed": 1., "skipped": 1., "findings": 4., "fights": 2., "requests": 12., "bytes": 4096., "error": "one; two",
		},
	} {
		delete(l[i], "time")
		delete(l[i], "ms")
		if d := cmp.Diff(want, l[i]); d != "" {
			t.Errorf("line %d: -want +got:\n%s", i, d)
		}
	}
}

func TestAThousandFightsStayAShortAnswer(t *testing.T) { // Lambda hands back 6 MB at most
	rep := drift.Report{Cluster: "swept"}
	for i := range 1000 {
		id := web
		id.Name = fmt.Sprint("web-", i)
		rep.Findings = append(rep.Findings, drift.Located{Application: "argocd/shop", Finding: drift.Finding{ID: id, Outcome: drift.Drifted, Fight: "loop",
			Fields: []drift.Field{{Path: ".data." + strings.Repeat("a", 200), Fight: "loop"}}}})
	}
	h, lines := handler(core{sweep: func(context.Context, app.Cluster) (drift.Report, error) { return rep, nil }})
	out, err := h.Handle(t.Context(), event("swept"))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := json.Marshal(out); err != nil || len(b) > 64<<10 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if l := lines(t); len(l) != fightCap+1 || l[fightCap]["findings"] != 1000. || l[fightCap]["fights"] != 50. {
		t.Errorf("%d lines, the last is %v", len(l), l[len(l)-1])
	}
}

func TestAWatchThatCouldOnlySweepSaysWhy(t *testing.T) {
	h, lines := handler(core{watch: func(context.Context, app.Cluster, time.Duration) (drift.Report, error) {
		return drift.Report{Cluster: "watched", Fallback: "another run holds the lease"}, nil
	}})
	out, err := h.Handle(t.Context(), event("watched"))
	if err != nil || out.Fallback != "another run holds the lease" {
		t.Errorf("answered %+v, error %v", out, err)
	}
	if l := lines(t); len(l) != 1 || l[0]["level"] != "WARN" || l[0]["fallback"] != "another run holds the lease" {
		t.Errorf("log %v", l)
	}
}
