package drift

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
	"slipway/internal/deploy"
	"slipway/internal/record"
	"slipway/internal/state"
	"slipway/internal/state/statetest"
	"slipway/test/fetched"
)

// world is one application, its state and its cluster.
type world struct {
	t       *testing.T
	stores  state.Stores
	cluster deploy.Cluster
	sweeper Cluster
	deploy  *deploy.Deploy
	drift   *Drift
	woken   []app.Name
	app     app.Application
	commits int
}

func newWorld(t *testing.T, namespace string, c deploy.Cluster, s Cluster) *world {
	t.Helper()
	w := &world{t: t, stores: statetest.Memory(), cluster: c, sweeper: s}
	w.app = fetched.Application(namespace, namespace)
	w.restart()
	w.declare(func(*app.Application) {})
	return w
}

// restart is another process on the same state and cluster.
func (w *world) restart() { w.deploy, w.drift = w.process(w.stores) }

func (w *world) process(s state.Stores) (*deploy.Deploy, *Drift) {
	d := deploy.New(deploy.Deps{
		Records: s.Records, Registry: s.Registry, Blobs: s.Blobs, Renderer: fetched.Renderer{}, Queue: queue{w}, Owner: "test", Rollouts: undriven{},
		Connect: func(context.Context, app.Destination) (deploy.Cluster, error) { return w.cluster, nil },
	})
	return d, New(Deps{
		Records: s.Records, Registry: s.Registry, Blobs: s.Blobs, Notes: s.Notes, Holder: d,
		Resolve: func(app.Destination) (app.Cluster, error) { return app.Cluster{Name: "real"}, nil },
		Connect: func(context.Context, app.Cluster) (Cluster, error) { return w.sweeper, nil },
	})
}

// undriven lets Rollouts in and drives none.
type undriven struct{}

func (undriven) Check(string, *unstructured.Unstructured) error { return nil }

func (undriven) Start(context.Context, app.Destination, *unstructured.Unstructured, record.Origin) (bool, error) {
	return false, nil
}

func (undriven) Reject(context.Context, app.Destination, *unstructured.Unstructured) error {
	return nil
}

type queue struct{ w *world }

func (q queue) Wake(_ context.Context, n app.Name) error {
	q.w.woken = append(q.w.woken, n)
	return nil
}
func (q queue) Look(context.Context, app.Application) error { return nil }

// declare changes the Application.
func (w *world) declare(change func(*app.Application)) {
	w.t.Helper()
	change(&w.app)
	if err := w.stores.Registry.Put(w.t.Context(), app.Registered{Application: w.app}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) selfHeal() { w.declare(func(a *app.Application) { a.Sync.SelfHeal = true }) }

// push makes text what is wanted, as fetch does.
func (w *world) push(text string) {
	w.t.Helper()
	w.commits++
	fetched.Push(w.t, w.stores, w.app, w.commits, map[string]string{"all.yaml": text})
}

func (w *world) sync(text string) {
	w.t.Helper()
	w.push(text)
	if err := w.deploy.Sync(w.t.Context(), w.app.Key(), false); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) sweep() Report {
	w.t.Helper()
	rep, err := w.drift.Sweep(w.t.Context(), app.Cluster{Name: "real"})
	if err != nil {
		w.t.Fatal(err)
	}
	return rep
}

// lines are findings, one line a field: `Drifted Deployment/web .spec.replicas by kubectl`.
func lines(findings []Finding) []string {
	var out []string
	for _, f := range findings {
		head := fmt.Sprintf("%s %s/%s", f.Outcome, f.Kind, f.Name)
		if f.Healed {
			head += " healed"
		}
		if len(f.Fields) == 0 {
			out = append(out, head)
		}
		for _, x := range f.Fields {
			by := x.Manager
			if by == "" {
				by = "nobody"
			}
			out = append(out, head+" "+x.Path+" by "+by)
		}
	}
	slices.Sort(out)
	return out
}

func found(r Report) []string {
	var all []Finding
	for _, f := range r.Findings {
		all = append(all, f.Finding)
	}
	return lines(all)
}

func (w *world) known() State {
	w.t.Helper()
	s, err := w.drift.Of(w.t.Context(), w.app.Key())
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) record() record.Record {
	w.t.Helper()
	r, err := w.stores.Records.Get(w.t.Context(), w.app.Key())
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// configMap is a manifest, one key each line.
func configMap(name string, data ...string) string {
	return "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\ndata:\n  " + strings.Join(data, "\n  ") + "\n"
}

func (w *world) put(rec record.Record) {
	w.t.Helper()
	_, err := w.stores.Records.Update(w.t.Context(), w.app.Key(), func(r *record.Record) error { *r = rec; return nil })
	if err != nil {
		w.t.Fatal(err)
	}
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
