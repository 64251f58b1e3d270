package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAHealIsSeenAfterTheEditAndNotBefore(t *testing.T) {
	begin := time.Now()
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	field, gone := edit{verb: "edit", patch: "{}"}, edit{verb: "delete"}
	for name, c := range map[string]struct {
		edit edit
		seen []sight
		took []float64
		lost int
	}{
		"an edit that nobody heals":           {field, nil, []float64{ms(healWait)}, 1},
		"a state from before the edit":        {field, []sight{{at(1), "u", 6}}, []float64{ms(healWait)}, 1},
		"the edit's own event":                {field, []sight{{at(1), "u", 7}}, []float64{ms(healWait)}, 1},
		"a heal":                              {field, []sight{{at(1), "u", 6}, {at(40), "u", 9}, {at(50), "u", 11}}, []float64{30}, 0},
		"a heal that is seen before the edit": {field, []sight{{at(9), "u", 9}}, []float64{0}, 0},
		"a last change of what is deleted":    {gone, []sight{{at(20), "u", 9}}, []float64{ms(healWait)}, 1},
		"another one of its name":             {gone, []sight{{at(20), "u", 9}, {at(30), "v", 12}}, []float64{20}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			x := &target{name: "x", edit: c.edit}
			w := &watcher{marks: map[place]*marked{{name: "x"}: {target: x, uid: "u", version: 7, answered: at(10), seen: c.seen}}}
			took, lost, err := w.count([]*target{x})
			if err != nil || lost != c.lost || !cmp.Equal(took, c.took) {
				t.Errorf("took %v, %d lost, %v; want %v, %d", took, lost, err, c.took, c.lost)
			}
		})
	}
}
