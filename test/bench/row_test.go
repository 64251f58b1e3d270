package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestARowIsGoodUpToItsGoalAndUnderItsPeer(t *testing.T) {
	for name, c := range map[string]struct {
		value float64
		ratio float64 // 0: no peer was measured
		ok    bool
	}{
		"below":            {9, 0, true},
		"at the goal":      {10, 0, true},
		"above":            {10.001, 0, false},
		"below, faster":    {9, 0.99, true},
		"below, as fast":   {9, 1, false},
		"above, faster":    {11, 0.5, false},
		"a count too many": {11, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newResults(group{rows: []row{{Name: "x", Goal: 10}}})
			r.value("x", c.value)
			if c.ratio != 0 {
				r.versus("x", "peer", c.ratio)
			}
			if err := r.complete(); err != nil {
				t.Fatal(err)
			}
			if r.rows[0].OK != c.ok {
				t.Errorf("ok is %v for %+v", r.rows[0].OK, r.rows[0])
			}
		})
	}
}

func TestARowWithoutAValueIsAnError(t *testing.T) {
	r := newResults(group{rows: []row{{Name: "x", Goal: 10}, {Name: "y", Goal: 10}}})
	r.value("x", 1)
	if err := r.complete(); err == nil || !strings.Contains(err.Error(), "measure y") {
		t.Errorf("got %v", err)
	}
}

func TestResultsLeaveTheDeclaredRowsAlone(t *testing.T) {
	g := group{rows: []row{{Name: "x", Goal: 10}}}
	newResults(g).value("x", 1)
	if g.rows[0].Value != 0 {
		t.Error("the declaration has a value")
	}
}

func TestOnlyThePickedRowsAreKept(t *testing.T) {
	r := newResults(group{rows: []row{{Name: "push_a"}, {Name: "push_b"}}})
	r.note("counted")
	got := r.only(regexp.MustCompile("_b$"))
	if len(got.rows) != 1 || got.rows[0].Name != "push_b" || len(got.notes) != 1 || len(r.rows) != 2 {
		t.Errorf("kept %+v of %+v", got, r)
	}
}
