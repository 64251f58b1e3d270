package invoke

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"

	"slipway/internal/fault"
)

// Any event is either Invalid or does the one task that it names.
func FuzzSchedule(f *testing.F) {
	for _, s := range []string{`{"task":"drift"}`, `{"task":"branches"}`, `{"task":"drift","task":"branches"}`, `{"Task":"drift"}`, `{"task":"\u0064rift"}`, "null", "[]", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, event []byte) {
		var done []string
		do := func(name string) func(context.Context) error {
			return func(context.Context) error { done = append(done, name); return nil }
		}
		s := Schedule{Log: slog.New(slog.DiscardHandler), Tasks: map[string]func(context.Context) error{TaskDrift: do(TaskDrift), TaskBranches: do(TaskBranches)}}
		err := s.Handle(t.Context(), event)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || len(done) != 0 {
				t.Fatalf("did %v with %v (%s)", done, err, fault.Of(err))
			}
			return
		}
		var as struct{ Task string }
		if err := json.Unmarshal(event, &as); err != nil || len(done) != 1 || done[0] != as.Task {
			t.Fatalf("did %v for %+v, %v", done, as, err)
		}
	})
}

// Any event is Invalid or names one cluster, the one that any other reader of JSON sees.
func FuzzDrift(f *testing.F) {
	for _, s := range []string{`{"cluster":"in-cluster"}`, `{"cluster":""}`, `{"cluster":"a","cluster":"b"}`, `{"Cluster":"a"}`, `{"cluster":"\ud800"}`, "null", "[]", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, event []byte) {
		e, err := ParseDrift(event)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v is %s", err, fault.Of(err))
			}
			return
		}
		var as map[string]string
		if err := json.Unmarshal(event, &as); err != nil || len(as) != 1 || as["cluster"] != e.Cluster || e.Cluster == "" {
			t.Fatalf("%+v of %s: %v", e, event, err)
		}
		again, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := ParseDrift(again); err == nil && twice != e {
			t.Fatalf("%+v is %+v when sent on", e, twice)
		}
	})
}
