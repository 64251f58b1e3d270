package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/local"
	"slipway/internal/record"
)

var update = flag.Bool("update", false, "write the goldens")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path) //nolint:gosec // a golden
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s, -want +got:\n%s", name, d)
	}
}

var analysing = local.Rollout{
	Rollout: "in-cluster/production/order-service", Phase: "Progressing", Message: "more replicas need to be updated",
	Step: 2, Steps: 8, SetWeight: 10, Weight: 16, Replicas: 5, Stage: record.Running, Execution: "in-cluster-production-order-service-bfb756b8d-dn4k",
	Origin: record.Origin{Application: "argocd/order-service", Commit: strings.Repeat("a", 40)},
	Sets: []local.ReplicaSet{
		{Name: "order-service-bfb756b8d", Revision: 2, Role: "canary", Image: "myorg/order-service:1.3.0", Replicas: 1, Available: 1},
		{Name: "order-service-78847f9ff8", Revision: 1, Role: "stable", Image: "myorg/order-service:1.2.0", Replicas: 5, Available: 5},
	},
	Analyses: []local.Analysis{{Name: "order-service-bfb756b8d-2-2", Phase: "Running", Metrics: []local.Metric{
		{Name: "success-rate", Phase: "Running", Successful: 2, Failed: 1, Value: "[0.98]"},
	}}},
}

func rolledBackOne() local.Rollout {
	v := analysing
	v.Phase, v.Message, v.Step, v.SetWeight, v.Weight = "Degraded", "RolloutAborted: Rollout aborted update to revision 2: too many errors", 0, 0, 0
	v.Stage, v.Why, v.Analyses = record.Aborted, "too many errors", nil
	v.Sets = v.Sets[1:]
	return v
}

func TestARolloutIsShownAsItStands(t *testing.T) {
	for name, v := range map[string]local.Rollout{"analysing": analysing, "rolledback": rolledBackOne()} {
		var out bytes.Buffer
		printRollout(&out, v)
		golden(t, "rollout-"+name+".txt", out.String())
	}
}

func TestRolloutsAreListed(t *testing.T) {
	var out bytes.Buffer
	printRollouts(&out, []local.Rollout{analysing, rolledBackOne(), {Rollout: "edge/shop/new"}})
	golden(t, "rollouts.txt", out.String())
}

func TestAnApplicationSaysWhichOfItsCommitsWasRolledBack(t *testing.T) {
	a := shop("Synced", record.Record{})
	a.Rollouts = []record.Rollout{{
		Rollout: "in-cluster/production/shop", Stage: record.Aborted, Why: "too many errors",
		Origin: record.Origin{Application: "argocd/shop", Commit: strings.Repeat("b", 40)},
	}}
	var out bytes.Buffer
	printApplication(&out, a)
	for _, want := range []string{"in-cluster/production/shop: aborted", "too many errors", "commit bbbbbbb is rejected", "git revert bbbbbbb"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

// asked is a server that answers every request with an empty object, and what it was asked.
func asked(t *testing.T) (dir string, requests *[]string) {
	t.Helper()
	requests = &[]string{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*requests = append(*requests, r.Method+" "+r.URL.String())
		_, _ = w.Write([]byte(`{}`))
	}))
	t.Cleanup(s.Close)
	return serverDir(t, s.URL), requests
}

func TestEachVerbIsAskedOfTheRolloutThatIsNamed(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"promote production/web", "POST /v1/rollouts/in-cluster/production/web/promote?why="},
		{"promote --full edge/shop/web", "POST /v1/rollouts/edge/shop/web/promote-full?why="},
		{"abort shop/web --why bad", "POST /v1/rollouts/in-cluster/shop/web/abort?why=bad"},
		{"retry shop/web", "POST /v1/rollouts/in-cluster/shop/web/retry?why="},
		{"stop shop/web", "POST /v1/rollouts/in-cluster/shop/web/stop?why="},
		{"get shop/web", "GET /v1/rollouts/in-cluster/shop/web"},
	} {
		dir, requests := asked(t)
		code, _, stderr := call(append(append([]string{"rollout"}, strings.Fields(c.args)...), "--dir", dir)...)
		if d := cmp.Diff([]string{c.want}, *requests); code != exitDone || d != "" {
			t.Errorf("%s: exit code %d, %s, -want +got:\n%s", c.args, code, stderr, d)
		}
	}
}

func TestWhatIsNoNameOfARolloutIsWrongUsage(t *testing.T) {
	for _, name := range []string{"web", "a/b/c/d", "../web", "shop/WEB", "shop/web?x", "/shop/web"} {
		if code, _, stderr := call("rollout", "abort", name, "--dir", t.TempDir()); code != exitUsage || !strings.Contains(stderr, "want NAMESPACE/NAME") {
			t.Errorf("%s: exit code %d, %s", name, code, stderr)
		}
	}
}

func TestAWatchedRolloutIsShownWhenItChangesAndUntilItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := rolledBackOne()
		later := analysing
		later.Step = 3
		answers := []local.Rollout{analysing, analysing, later, later, over}
		shown := 0
		begin := time.Now()
		err := watchRollout(t.Context(), func(context.Context) (local.Rollout, error) {
			v := answers[0]
			answers = answers[1:]
			return v, nil
		}, analysing, func(local.Rollout) error { shown++; return nil })
		if err != nil || shown != 2 || time.Since(begin) != 5*watchEvery {
			t.Errorf("shown %d times in %s, %v", shown, time.Since(begin), err)
		}
		gone := errors.New("gone")
		if err := watchRollout(t.Context(), func(context.Context) (local.Rollout, error) { return local.Rollout{}, gone }, analysing, nil); !errors.Is(err, gone) {
			t.Error(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if err := watchRollout(ctx, nil, analysing, nil); err != nil {
			t.Errorf("a watch that a person ends: %v", err)
		}
	})
}
