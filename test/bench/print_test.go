package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sample() *results {
	half := 0.5
	return &results{
		rows: []row{
			{Name: "a_ms", Value: 17.66, Unit: "ms", Goal: 25, OK: true, Peer: "helm: 38 ms", Ratio: &half},
			{Name: "b_writes", Value: 2, Unit: "writes", Goal: 1},
		},
		notes: []string{"a: counted"},
	}
}

func TestTheTableShowsWhatMissedItsGoal(t *testing.T) {
	var out bytes.Buffer
	if err := sample().print(&out); err != nil {
		t.Fatal(err)
	}
	want := `ROW       VALUE  UNIT    GOAL  OK   RATIO  PEER
a_ms      17.7   ms      25    yes  0.50   helm: 38 ms
b_writes  2      writes  1     NO   -      -

a: counted
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestTheFileHoldsTheSevenFieldsOfEachRow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "bench.json")
	if err := sample().write(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{
		{"name": "a_ms", "value": 17.66, "unit": "ms", "goal": 25.0, "ok": true, "peer": "helm: 38 ms", "ratio": 0.5},
		{"name": "b_writes", "value": 2.0, "unit": "writes", "goal": 1.0, "ok": false, "peer": "", "ratio": nil},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
