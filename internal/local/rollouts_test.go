package local

import (
	"context"
	"strings"
	"testing"
	"time"

	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/rollout/drive"
	"slipway/internal/state/statetest"
	"slipway/internal/workflow/asl"
)

// steered is a client of a Local that drives rollouts without a cluster, and a record of one that runs.
func steered(t *testing.T) (*Local, *Client) {
	t.Helper()
	l, c := served(t)
	engine, err := asl.Open(t.Context(), statetest.MemoryHistories(), asl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	l.engine = engine
	l.rollouts = drive.New(drive.Deps{Rollouts: l.stores.Rollouts, Executions: engine})
	_, err = l.stores.Rollouts.Update(t.Context(), "in-cluster/shop/web", func(r *record.Rollout) error {
		r.Rollout = "in-cluster/shop/web"
		return r.Start(0, "r1", func(uint64) string { return "web-1" }, time.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
	return l, c
}

func TestAVerbIsWrittenIntoTheRecord(t *testing.T) {
	l, c := steered(t)
	if err := c.Steer(t.Context(), "in-cluster/shop/web", "abort", "it\x1b is bad"); err != nil {
		t.Fatal(err)
	}
	rec, err := l.stores.Rollouts.Get(context.WithoutCancel(t.Context()), "in-cluster/shop/web")
	if err != nil || rec.Verb != record.Abort || !strings.HasPrefix(rec.Why, "it") || strings.Contains(rec.Why, "\x1b") {
		t.Errorf("%+v, %v", rec, err)
	}
}

func TestAVerbThatCannotBeDoneSaysWhy(t *testing.T) {
	_, c := steered(t)
	for _, tt := range []struct {
		key, verb string
		kind      fault.Kind
		says      string
	}{
		{"in-cluster/shop/web", "promote", fault.Busy, "does not wait"},
		{"in-cluster/shop/web", "pause", fault.Invalid, `"pause" is not promote`},
		{"in-cluster/shop/other", "abort", fault.NotFound, "there are: in-cluster/shop/web"},
		{"in-cluster/shop/other", "stop", fault.NotFound, "there are: in-cluster/shop/web"},
	} {
		err := c.Steer(t.Context(), tt.key, tt.verb, "")
		if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s %s: %v", tt.verb, tt.key, err)
		}
	}
}

func TestAnApplicationShowsTheRolloutsOfItsCommitsAndNoToken(t *testing.T) {
	l, c := steered(t)
	l.declare(t, "shop")
	_, err := l.stores.Rollouts.Update(t.Context(), "in-cluster/shop/web", func(r *record.Rollout) error {
		r.From("r1", record.Origin{Application: "argocd/shop", Commit: "abc"})
		r.Token.Handle = "TOPSECRET"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.Application(t.Context(), "argocd/shop")
	if err != nil || len(a.Rollouts) != 1 || a.Rollouts[0].Origin.Commit != "abc" || a.Rollouts[0].Token.Handle != "" {
		t.Errorf("%+v, %v", a.Rollouts, err)
	}
}
