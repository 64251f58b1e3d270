package driftevent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/app"
	"slipway/internal/drift"
	"slipway/internal/fault"
)

// core answers as drift would.
type core struct {
	sweep func(ctx context.Context, c app.Cluster) (drift.Report, error)
	watch func(ctx context.Context, c app.Cluster, limit time.Duration) (drift.Report, error)
}

func (c core) Sweep(ctx context.Context, cl app.Cluster) (drift.Report, error) {
	return c.sweep(ctx, cl)
}

func (c core) Watch(ctx context.Context, cl app.Cluster, limit time.Duration) (drift.Report, error) {
	return c.watch(ctx, cl, limit)
}

// ticker notes what it is asked for, and answers err. Its watch ends with ctx.
type ticker struct {
	asked string
	err   error
}

func (r *ticker) Tick(_ context.Context, cluster string) error {
	r.asked += "tick " + cluster
	return r.err
}

func (r *ticker) Watch(ctx context.Context, cluster string) error {
	r.asked += "watch " + cluster
	<-ctx.Done()
	return r.err
}

// handler is one over a quiet cluster, a swept and a watched one, and the lines that it logs.
func handler(c core) (Handler, func(t *testing.T) []map[string]any) {
	var b bytes.Buffer
	h := Handler{Drift: c, Rollouts: &ticker{}, Log: slog.New(slog.NewJSONHandler(&b, nil)), Clusters: []app.Cluster{
		{Name: "in-cluster", Server: app.InClusterServer}, {Name: "swept", Drift: app.DriftSweep}, {Name: "watched", Drift: app.DriftWatch},
	}}
	return h, func(t *testing.T) []map[string]any {
		t.Helper()
		var out []map[string]any
		for line := range strings.Lines(b.String()) {
			var v map[string]any
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Fatal(err)
			}
			out = append(out, v)
		}
		return out
	}
}

func event(cluster string) json.RawMessage { return json.RawMessage(`{"cluster":"` + cluster + `"}`) }

func TestAClusterIsLookedAtAsItsConfigurationSays(t *testing.T) {
	for cluster, want := range map[string]string{"in-cluster": "sweep in-cluster", "swept": "sweep swept", "watched": "watch watched 2m30s"} {
		did := ""
		h, lines := handler(core{
			func(_ context.Context, c app.Cluster) (drift.Report, error) {
				did += "sweep " + c.Name
				return drift.Report{Cluster: c.Name, Objects: 7}, nil
			},
			func(_ context.Context, c app.Cluster, limit time.Duration) (drift.Report, error) {
				did += "watch " + c.Name + " " + limit.String()
				return drift.Report{Cluster: c.Name, Objects: 7}, nil
			},
		})
		out, err := h.Handle(t.Context(), event(cluster))
		mode := strings.Fields(want)[0]
		if err != nil || did != want || out.Cluster != cluster || string(out.Mode) != mode || out.Objects != 7 {
			t.Errorf("%s: did %q, answered %+v, %v", cluster, did, out, err)
		}
		if l := lines(t); len(l) != 1 || l[0]["msg"] != "drift" || l[0]["mode"] != mode || l[0]["cluster"] != cluster || l[0]["level"] != "INFO" {
			t.Errorf("%s: log %v", cluster, l)
		}
	}
}

func TestTheEventOfTheExamplesRuns(t *testing.T) {
	b, err := os.ReadFile("../../../events/drift/cluster.json")
	if err != nil {
		t.Fatal(err)
	}
	h, _ := handler(core{sweep: func(context.Context, app.Cluster) (drift.Report, error) { return drift.Report{}, nil }})
	if out, err := h.Handle(t.Context(), b); err != nil || out.Cluster != "in-cluster" {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestAnEventThatNamesNoClusterOfOursIsRefusedWithOneLine(t *testing.T) {
	for name, c := range map[string]struct{ event, want string }{
		"an unknown cluster":                 {`{"cluster":"production"}`, `no cluster has the name "production"; there are: in-cluster, swept, watched`},
		"a cluster by its server":            {`{"cluster":"https://kubernetes.default.svc"}`, "no cluster has the name"},
		"no cluster":                         {`{}`, "cluster is missing"},
		"a mode, which is the configuration": {`{"cluster":"swept","mode":"watch"}`, `unknown field "mode"`},
		"the schedule's event":               {`{"task":"drift"}`, `unknown field "task"`},
		"control characters":                 {`{"cluster":"\u001b[31m\nred"}`, "no cluster has the name"},
	} {
		t.Run(name, func(t *testing.T) {
			h, lines := handler(core{}) // a run would crash
			out, err := h.Handle(t.Context(), json.RawMessage(c.event))
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v, %v, want %s", out, err, c.want)
			}
			l := lines(t)
			if len(l) != 1 || l[0]["level"] != "ERROR" {
				t.Fatalf("log %v", l)
			}
			if said, _ := l[0]["cluster"].(string); strings.ContainsAny(said, "\x1b\n") {
				t.Errorf("the log has %q", said)
			}
		})
	}
}

// until works until its context ends.
func until(ctx context.Context) (drift.Report, error) {
	<-ctx.Done()
	return drift.Report{Healed: 1}, ctx.Err()
}

func TestARunEndsBeforeTheInvocationDoes(t *testing.T) {
	for name, c := range map[string]struct {
		cluster string
		timeout time.Duration // of the function; 0: none
		want    time.Duration
	}{
		"a sweep, before the next one":          {"swept", 3 * time.Minute, 55 * time.Second},
		"a sweep without a deadline":            {"swept", 0, 55 * time.Second},
		"a sweep of a short function":           {"swept", 30 * time.Second, 28 * time.Second},
		"a watch, with time to answer and log":  {"watched", 3 * time.Minute, 178 * time.Second},
		"a watch that is not given enough time": {"watched", 2 * time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, lines := handler(core{
					func(ctx context.Context, _ app.Cluster) (drift.Report, error) { return until(ctx) },
					func(ctx context.Context, _ app.Cluster, _ time.Duration) (drift.Report, error) { return until(ctx) },
				})
				ctx := t.Context()
				if c.timeout > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.timeout)
					defer cancel()
				}
				begin := time.Now()
				out, err := h.Handle(ctx, event(c.cluster))
				if d := time.Since(begin); d != c.want || !fault.Is(err, fault.Unavailable) || out.Milliseconds != c.want.Milliseconds() {
					t.Errorf("ended after %s with %+v, %v", d, out, err)
				}
				l := lines(t)
				if len(l) != 1 || l[0]["level"] != "ERROR" || l[0]["ms"] != float64(c.want.Milliseconds()) {
					t.Errorf("log %v", l)
				}
				if c.want > 0 && l[0]["healed"] != float64(1) {
					t.Errorf("what was done by then is not told: %v", l)
				}
			})
		})
	}
}

func TestARunThatTheProcessStopsIsNoError(t *testing.T) {
	h, lines := handler(core{watch: func(ctx context.Context, _ app.Cluster, _ time.Duration) (drift.Report, error) { return until(ctx) }})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Handle(ctx, event("watched")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if l := lines(t); len(l) != 1 || l[0]["level"] != "INFO" {
		t.Errorf("log %v", l)
	}
}

func TestTheRolloutsOfAClusterAreLookedAfterBesideDrift(t *testing.T) {
	nothing := func(context.Context, app.Cluster) (drift.Report, error) { return drift.Report{Objects: 3}, nil }
	for cluster, want := range map[string]string{"swept": "tick swept", "watched": "watch watched"} {
		for _, fails := range []error{nil, fault.New(fault.Unavailable, "no rollouts today")} {
			h, lines := handler(core{nothing, func(ctx context.Context, c app.Cluster, _ time.Duration) (drift.Report, error) {
				return nothing(ctx, c)
			}})
			rollouts := &ticker{err: fails}
			h.Rollouts = rollouts
			out, err := h.Handle(t.Context(), event(cluster))
			if rollouts.asked != want || out.Objects != 3 || !errors.Is(err, fails) {
				t.Errorf("%s: %s, %+v, %v", cluster, rollouts.asked, out, err)
			}
			if all := lines(t); len(all) != 1 || (all[0]["error"] != nil) != (fails != nil) {
				t.Errorf("%s: %v", cluster, all)
			}
		}
	}
}

// What drift cannot do is told, and so is what the rollouts cannot.
func TestAFailedSweepDoesNotKeepTheRolloutsFromATick(t *testing.T) {
	h, _ := handler(core{sweep: func(context.Context, app.Cluster) (drift.Report, error) {
		return drift.Report{}, fault.New(fault.Denied, "list refused")
	}})
	rollouts := &ticker{err: fault.New(fault.Unavailable, "no rollouts today")}
	h.Rollouts = rollouts
	_, err := h.Handle(t.Context(), event("swept"))
	if rollouts.asked != "tick swept" || err == nil || !strings.Contains(err.Error(), "list refused") || !strings.Contains(err.Error(), "look after rollouts: no rollouts today") {
		t.Errorf("%s, %v", rollouts.asked, err)
	}
}
