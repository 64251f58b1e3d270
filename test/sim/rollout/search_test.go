package rollout

import (
	"hash/maphash"
	"slices"
	"time"
)

// result is what a search found.
type result struct {
	states, steps int
	found         map[string][]string // property that broke -> shortest trace, a line a step
	cut           bool                // there were more states than allowed: what was not found may still be there
	took          time.Duration
}

// search visits every state that a scenario can reach, breadth first, so that each trace is a shortest one. Of a state
// that was expanded only a 64-bit hash and its predecessor are kept (two of 20 million are the same with probability
// 1e-5); a trace is found again by walking it.
type search struct {
	m      *model
	start  state
	seed   maphash.Seed
	hashes []uint64 // of the states, in the order in which they were found
	parent []int32
	table  []int32 // open addressing: 1 + index, 0 is free
	ends   []int32 // for each expanded state: where its successors end in next
	next   []int32
	result result
}

// explore searches until there are no more states, there are limit of them, or the property until is broken.
func explore(sc scenario, r rules, limit int, until string) result {
	began := time.Now()
	x := &search{m: &model{rules: r, sc: sc}, seed: maphash.MakeSeed(), result: result{found: map[string][]string{}}}
	x.start = x.m.first()
	x.add(x.start, -1)
	level := []state{x.start}
	for at := int32(0); len(level) > 0; {
		var after []state
		for i := range level {
			after = x.expand(&level[i], at, after)
			at++
			if x.result.cut = len(x.hashes) >= limit; x.result.cut || x.result.found[until] != nil {
				x.result.states, x.result.took = len(x.hashes), time.Since(began)
				return x.result
			}
		}
		level = after
	}
	if at := x.round(); at >= 0 {
		x.result.found[livelock] = append(x.trace(at), "(goes round for ever)")
	}
	x.result.states, x.result.steps, x.result.took = len(x.hashes), len(x.next), time.Since(began)
	return x.result
}

const (
	stuck    = "R9 stuck"
	livelock = "R9 livelock: a round without a fault or a commit"
)

// expand adds the successors of one state to those of the next level.
func (x *search) expand(s *state, at int32, after []state) []state {
	var broken []string
	out := len(x.next)
	x.m.bad = func(property string) {
		if x.result.found[property] == nil {
			broken = append(broken, property)
		}
	}
	x.m.still = func(property string) {
		if x.result.found[property] == nil {
			x.result.found[property] = append(x.trace(at), "(quiet: nothing more happens)")
		}
	}
	x.m.emit = func(l label, n state) {
		for _, property := range broken {
			x.result.found[property] = append(x.trace(at), l.text(&n))
		}
		broken = broken[:0]
		x.m.canon(&n)
		id, isNew := x.add(n, at)
		if isNew {
			after = append(after, n)
		}
		x.next = append(x.next, id)
	}
	x.m.expand(s)
	if len(x.next) == out && !s.quiet() && x.result.found[stuck] == nil {
		x.result.found[stuck] = x.trace(at)
	}
	x.ends = append(x.ends, int32(len(x.next)))
	return after
}

// add gives a state a number, and says whether it is new.
func (x *search) add(s state, parent int32) (id int32, isNew bool) {
	if 2*len(x.hashes) >= len(x.table) {
		x.grow()
	}
	h := maphash.Comparable(x.seed, s)
	slot := x.slot(h)
	if x.table[slot] != 0 {
		return x.table[slot] - 1, false
	}
	x.hashes, x.parent = append(x.hashes, h), append(x.parent, parent)
	x.table[slot] = int32(len(x.hashes))
	return int32(len(x.hashes)) - 1, true
}

func (x *search) slot(h uint64) int {
	mask := len(x.table) - 1
	for slot := int(h) & mask; ; slot = (slot + 1) & mask {
		if id := x.table[slot]; id == 0 || x.hashes[id-1] == h {
			return slot
		}
	}
}

func (x *search) grow() {
	x.table = make([]int32, max(1<<16, 2*len(x.table)))
	for i, h := range x.hashes {
		x.table[x.slot(h)] = int32(i) + 1
	}
}

// trace tells the steps from the start to a state.
func (x *search) trace(to int32) (lines []string) {
	var way []int32
	for ; to > 0; to = x.parent[to] {
		way = append(way, to)
	}
	slices.Reverse(way)
	ignore := func(string) {}
	walker := &model{rules: x.m.rules, sc: x.m.sc, bad: ignore, still: ignore}
	at := x.start
	for _, id := range way {
		var line string
		var there state
		walker.emit = func(l label, n state) {
			text := l
			told := n
			walker.canon(&n)
			if line == "" && maphash.Comparable(x.seed, n) == x.hashes[id] {
				line, there = text.text(&told), n
			}
		}
		walker.expand(&at)
		lines, at = append(lines, line), there
	}
	return lines
}

// round finds a state on or behind a round, -1 when there is none: states without predecessors are taken away until none
// is left (Kahn). Faults and commits are bounded, so a round has none.
func (x *search) round() int32 {
	left := make([]int32, len(x.hashes))
	for _, to := range x.next {
		left[to]++
	}
	free := []int32{0}
	if left[0] > 0 {
		return 0
	}
	for len(free) > 0 {
		at := free[len(free)-1]
		free = free[:len(free)-1]
		from := int32(0)
		if at > 0 {
			from = x.ends[at-1]
		}
		for _, to := range x.next[from:x.ends[at]] {
			if left[to]--; left[to] == 0 {
				free = append(free, to)
			}
		}
	}
	return int32(slices.IndexFunc(left, func(n int32) bool { return n > 0 }))
}
