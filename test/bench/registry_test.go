package main

import (
	"regexp"
	"testing"
)

func TestEachRowIsDeclaredOnceAndWhole(t *testing.T) {
	form := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	seen := map[string]bool{}
	for _, g := range groups {
		if len(g.rows) == 0 || g.measure == nil {
			t.Errorf("a group has no rows or measures nothing: %+v", g.rows)
		}
		for _, r := range g.rows {
			if seen[r.Name] || !form.MatchString(r.Name) || r.Unit == "" || r.Goal < 0 || r.OK || r.Value != 0 || r.Ratio != nil {
				t.Errorf("row %+v", r)
			}
			seen[r.Name] = true
			if !g.matches(regexp.MustCompile("^" + r.Name + "$")) {
				t.Errorf("%s does not pick its group", r.Name)
			}
		}
	}
}

func TestAGroupApartIsOnlyMeasuredByName(t *testing.T) {
	g := group{rows: []row{{Name: "long_ms"}}, apart: true}
	if g.matches(regexp.MustCompile("")) || !g.matches(regexp.MustCompile("^long")) || g.matches(regexp.MustCompile("short")) {
		t.Error("it is measured in each run, or never")
	}
}
