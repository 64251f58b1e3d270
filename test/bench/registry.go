package main

import (
	"context"
	"regexp"
	"slices"
)

// group is rows that come out of one measurement.
type group struct {
	rows    []row // name, unit, goal, and the peer where it is a figure from elsewhere
	apart   bool  // only measured when -run names it
	measure func(ctx context.Context, m *machine, r *results) error
}

// groups is every row there is, in the order of the table. A new row goes into a group's rows, or into a group and a file
// of its own.
var groups = []group{pushes, writes, monorepo, renders, memory, lambda, sweeps, largeSweeps, heals, soaks}

func (g group) matches(wanted *regexp.Regexp) bool {
	return (!g.apart || wanted.String() != "") && slices.ContainsFunc(g.rows, func(r row) bool { return wanted.MatchString(r.Name) })
}
