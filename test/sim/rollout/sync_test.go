package rollout

// sync applies a commit: the Rollout, then the start of an execution.
func (m *model) sync(n state) {
	before := n
	p := &n.sync
	l := label{who: "sync"}
	switch p.pc {
	case 0:
		if int(n.commits)+1 < len(m.sc.commits) {
			n.commits++
			p.template, p.pc = m.sc.commits[n.commits], 1
			m.emit(label{who: "git", what: "a commit wants another revision"}, n)
		}
		return
	case 1:
		n.template, p.pc = p.template, 2
		n.failed &^= bit(p.template)
		l.what = "writes the Rollout"
	case 2:
		p.fence, p.pc = n.record.fence, 3
		l.what = "reads the record"
	case 3:
		if m.start(&n, p, false) {
			p.pc = 4
			l.what = "names the execution in the record"
		} else {
			n.sync = process{}
			l.what = "its start is refused"
		}
	case 4:
		m.launch(&n, p.exec)
		n.sync = process{}
		l.what = "calls StartExecution"
	}
	m.emit(l, n)
	if n = before; n.sync.pc > 1 && spend(&n.budget.crash) {
		n.sync = process{}
		l.what = "FAULT crashes"
		m.emit(l, n)
	}
}

// applies is a sync's apply of one object, or a sweep's heal of it: LIST, what is held, write. Something else of the
// object differs from git, so that the write really changes it.
func (m *model) applies(n state) {
	p := &n.apply
	l := label{who: "apply of the " + objectNames[p.object]}
	switch p.pc {
	case 0:
		if !spend(&n.budget.apply) {
			return
		}
		for o := range uint8(objects) {
			next := n
			next.apply = process{pc: 2, object: o, live: 1, value: next.value(o)}
			m.emit(label{who: "apply of the " + objectNames[o], what: "LISTs"}, next)
		}
		return
	case 1:
		p.pc, p.live, p.value = 2, 1, n.value(p.object)
		l.what = "409, GETs again"
	case 2:
		p.pc, p.seen = 3, 0
		if m.isHeld(&n) {
			p.seen = 1
		}
		l.what = "reads what is held"
	case 3:
		if m.ApplyCAS && p.live == 0 {
			p.pc = 1
			l.what = "is refused: 409"
			break
		}
		l.what = "writes, with the live value where it is held"
		m.apply(&n, p.object, p.value, p.seen == 1)
		n.apply = process{}
	}
	m.emit(l, n)
}

var objectNames = [...]string{"route", "canary Service", "stable Service", "ReplicaSets"}

// isHeld: the Rollout's fields are its own (rule 18).
func (m *model) isHeld(s *state) bool {
	return m.Held && (m.HeldAlways || s.record.open()) && (m.HeldByRollout || s.record.stage != absent)
}

func (s *state) value(object uint8) uint8 {
	return [...]uint8{s.weight, s.canary, s.stable, s.up}[object]
}

// git's values: no weight, Services that select no revision, the pods of the first one.
var gitValues = [...]uint8{0, 0, 0, 1 << 1}

// apply writes an object as field manager of the sync: the annotation of the rollout's own writes stays.
func (m *model) apply(n *state, object, value uint8, held bool) {
	c := change{object: int(object), weight: value, value: value}
	if n.differs(c) {
		m.bad("R12 sync or sweep puts an old value over a held field")
	}
	if !held && value != gitValues[object] {
		m.bad("R12 sync or sweep puts git's value over a held field")
		c.weight, c.value = gitValues[object], gitValues[object]
	}
	n.moved(-1, c, n.differs(c))
	n.set(c)
}
