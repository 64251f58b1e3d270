package main

import (
	"testing"
	"time"

	"slipway/internal/local"
	"slipway/internal/record"
)

func TestARunOfAnotherPushIsNotMeasured(t *testing.T) {
	received := time.UnixMilli(1_700_000_000_000)
	good := func() local.Application {
		a := local.Application{Last: &record.Run{Seq: 7, Outcome: record.Applied, Applied: 1, LatencyMS: 40}}
		a.Record.Wanted.Seq, a.Record.Wanted.Since = 7, received.UnixMilli()
		return a
	}
	lines := []line{{Use: "fetch", MS: 10}, {Msg: "webhook"}, {Use: "sync", MS: 20}}
	got, err := gather(good(), lines, received.Add(-time.Second), received.Add(45*time.Millisecond), cpu{own: 20 * time.Millisecond})
	want := pushed{recorded: 40, seen: 45, person: 1045, fetch: 10, sync: 20, own: 20}
	if err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	for name, spoil := range map[string]func(*local.Application){
		"no run":      func(a *local.Application) { a.Last = nil },
		"older":       func(a *local.Application) { a.Last.Seq = 6 },
		"failed":      func(a *local.Application) { a.Last.Outcome = record.Failed },
		"wrote twice": func(a *local.Application) { a.Last.Applied = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			a := good()
			spoil(&a)
			if got, err := gather(a, lines, received, received, cpu{}); err == nil {
				t.Errorf("measured %+v", got)
			}
		})
	}
}

func TestThePushThatCountsIsTheLaterOfRecordAndWatch(t *testing.T) {
	r := newResults(pushes)
	sumPushes([]pushed{{recorded: 100, seen: 90, own: 10, reaped: 30}, {recorded: 100, seen: 300, own: 20, reaped: 40}, {recorded: 50, seen: 60, own: 30, reaped: 50}}, r)
	if err := r.complete(); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.1, 0.3, 60} {
		if r.rows[i].Value != want {
			t.Errorf("%s is %v, want %v", r.rows[i].Name, r.rows[i].Value, want)
		}
	}
}
