package main

import (
	"fmt"
	"math"
	"regexp"
	"slices"
)

// row is what is promised and what was measured. Every goal is an upper bound.
type row struct {
	Name  string   `json:"name"`
	Value float64  `json:"value"`
	Unit  string   `json:"unit"`
	Goal  float64  `json:"goal"`
	OK    bool     `json:"ok"`
	Peer  string   `json:"peer"`  // what it is compared with; empty: nothing
	Ratio *float64 `json:"ratio"` // to the peer, where that was measured in the same run; its goal is under 1
}

// results are the rows of a group on their way.
type results struct {
	rows  []row
	set   map[string]bool
	notes []string // for people: what was counted, and how
}

func newResults(g group) *results {
	return &results{rows: slices.Clone(g.rows), set: map[string]bool{}}
}

// value sets a row's value, to four decimals; a name that the group does not declare is a mistake in this program.
func (r *results) value(name string, v float64) { r.find(name).Value = math.Round(v*1e4) / 1e4 }

// versus sets the peer that was measured in the same run.
func (r *results) versus(name, peer string, ratio float64) {
	w := r.find(name)
	ratio = math.Round(ratio*1e4) / 1e4
	w.Peer, w.Ratio = peer, &ratio
}

func (r *results) find(name string) *row {
	i := slices.IndexFunc(r.rows, func(w row) bool { return w.Name == name })
	if i < 0 {
		panic("bench: no row is called " + name)
	}
	r.set[name] = true
	return &r.rows[i]
}

func (r *results) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// complete judges the rows. One without a value is an error: a row that is missing would read as one that is good.
func (r *results) complete() error {
	for i := range r.rows {
		w := &r.rows[i]
		if !r.set[w.Name] {
			return fmt.Errorf("measure %s: no value came out", w.Name)
		}
		w.OK = w.Value <= w.Goal && (w.Ratio == nil || *w.Ratio < 1)
	}
	return nil
}

// only is the rows whose name matches, and all notes.
func (r *results) only(wanted *regexp.Regexp) *results {
	rows := slices.DeleteFunc(slices.Clone(r.rows), func(w row) bool { return !wanted.MatchString(w.Name) })
	return &results{rows: rows, notes: r.notes}
}

func (r *results) add(more *results) {
	r.rows, r.notes = append(r.rows, more.rows...), append(r.notes, more.notes...)
}
