package rollout

// leave lets what an execution no longer waits for go on by itself.
func (s *state) leave(i int) {
	if s.tasks[i].kind != nothing && s.tasks[late].kind == nothing {
		s.tasks[late] = s.tasks[i]
	}
}

// faults are those of an attempt: it dies, or times out and still runs.
func (m *model) faults(s *state, i int) {
	t := s.tasks[i]
	if i == late {
		return
	}
	l := t.label(i)
	if n := *s; spend(&n.budget.crash) {
		n.tasks[i], n.ticks = task{}, 0
		if i < slots {
			n.enter(i, t.kind)
		}
		l.what = "FAULT crashes and is tried again"
		m.emit(l, n)
	}
	if s.tasks[late].kind != nothing {
		return
	}
	n := *s
	if !spend(&n.budget.late) {
		return
	}
	n.tasks[late], n.tasks[i] = t, task{}
	if i == clean {
		n.ticks = 0
		l.what = "FAULT is slow"
		m.emit(l, n)
		return
	}
	caught := n
	n.enter(i, t.kind)
	l.what = "FAULT times out but still runs, is tried again"
	m.emit(l, n)
	if t.kind != rollback {
		caught.enter(i, rollback)
		l.what = "FAULT times out but still runs, Catch goes to Rollback"
		m.emit(l, caught)
	}
}

func (t *task) label(i int) label {
	l := label{who: kindNames[t.kind], exec: t.exec + 1}
	if i == late {
		l.who = lateNames[t.kind]
	}
	return l
}

var lateNames = func() (names [len(kindNames)]string) {
	for i, name := range kindNames {
		names[i] = "late " + name
	}
	return names
}()

// pods get ready, die, and come back where they are stable's.
func (m *model) pods(s *state) {
	for r := uint8(1); r <= revisions; r++ {
		if !has(s.up, r) {
			continue
		}
		step := func(what string, change func(*state)) {
			n := *s
			change(&n)
			m.emit(label{who: podNames[r], what: what}, n)
		}
		if !s.isReady(r) && !has(s.dead, r) {
			step("get ready", func(n *state) { n.ready |= bit(r) })
		}
		if has(s.dead, r) && s.stable == r {
			step("come back", func(n *state) { n.dead &^= bit(r) })
		}
		die := func(n *state) { n.ready, n.dead = n.ready&^bit(r), n.dead|bit(r) }
		if !has(s.dead, r) && s.stable != r && s.budget.pods > 0 {
			step("FAULT die", func(n *state) { n.budget.pods--; die(n) })
		}
		if !has(s.dead, r) && s.stable == r && s.budget.stable > 0 {
			step("FAULT die, and they are stable's", func(n *state) { n.budget.stable--; die(n) })
		}
	}
}

const revisions = 3

var podNames = [...]string{"", "pods of 1", "pods of 2", "pods of 3"}
