package rollout

// op is one write of a task.
type op uint8

const (
	touchStable  op = iota // nothing but the annotation
	zero                   // weight 0
	raise                  // the weight of the step
	hundred                // weight 100
	canaryOwn              // the canary Service selects this revision
	canaryBack             // ... stable
	stableOwn              // the stable Service selects this revision
	setsBoth               // pods for stable and this revision
	setsOnly               // pods for stable only; the Rollout's status shows the abort
	setsOwn                // pods for this revision only
	clearPatches           // of the revision before
	look                   // one measurement
	verdict
	settle // the record says how it ended
)

var (
	beginOps   = []op{touchStable, zero, canaryOwn, setsBoth, clearPatches}
	beginLess  = []op{zero, canaryOwn, setsBoth, clearPatches}         // BeginStable dropped
	sameOps    = []op{touchStable, zero, canaryBack, setsOnly, settle} // nothing to roll: the revision is stable
	raiseOps   = []op{raise}
	lookOps    = []op{look, verdict}
	ownOps     = []op{touchStable, hundred, stableOwn, zero, canaryOwn, setsOwn, settle}
	promoteOps = []op{hundred, stableOwn, zero, setsOwn, settle} // of Promote, whose canary Service is right
	backOps    = []op{touchStable, zero, canaryBack, setsOnly, settle}
	backLast   = []op{zero, canaryBack, touchStable, setsOnly, settle} // StableFirst dropped
	backUp     = []op{touchStable, setsOnly, zero, canaryBack, settle} // WeightFirst dropped
)

// ops are the writes of an attempt, by what it has read.
func (m *model) ops(t *task) []op {
	switch {
	case t.kind == begin && t.rev == t.stable:
		return sameOps
	case t.kind == begin && !m.BeginStable:
		return beginLess
	case t.kind == begin:
		return beginOps
	case t.kind == setWeight:
		return raiseOps
	case t.kind == measure:
		return lookOps
	case t.kind == promote, t.forward == 1 && !m.ForwardCanary:
		return promoteOps
	case t.forward == 1:
		return ownOps
	case !m.WeightFirst:
		return backUp
	case !m.StableFirst:
		return backLast
	}
	return backOps
}

// goesOn: the tasks that only a rollout that runs may do.
func (t *task) goesOn() bool { return t.kind <= measure || t.kind == handOver }

func (t *task) settles() bool { return t.kind == rollback || t.kind == janitor }

func (t *task) touches() bool { return t.kind == begin || t.settles() }

// mine is the condition of every write of the record by a task.
func (m *model) mine(r *record, t *task) bool {
	return r.stage != absent && r.fence == t.fence && (!m.StepFence || r.attempt == t.attempt)
}

// task is one step of an attempt.
func (m *model) task(n state, i int) {
	t := &n.tasks[i]
	l := t.label(i)
	say := func(what string) {
		l.what = what
		m.emit(l, n)
	}
	switch t.phase {
	case claims:
		say(m.claim(&n, i))
	case reads, readsAgain:
		if (t.phase == reads) == m.GetFirst {
			m.get(&n, i)
			say("reads the cluster")
			return
		}
		say(m.again(&n, i))
	case writes:
		ops := m.ops(t)
		if int(t.op) < len(ops) && ops[t.op] == look {
			m.measures(n, i)
			return
		}
		if int(t.op) == len(ops) {
			m.back(&n, i, onward)
			say("returns")
			return
		}
		say(m.write(&n, i, ops[t.op]))
	case returns: // a crash here: all is written, but the state machine tries again
		switch t.kind {
		case pause:
			n.tasks[i] = task{}
		case handOver:
			m.launch(&n, t.handed)
			m.back(&n, i, ended)
		default:
			m.back(&n, i, ended)
		}
		say("returns")
	}
}

// get reads the cluster.
func (m *model) get(n *state, i int) {
	t := &n.tasks[i]
	t.live = bit(objects) - 1
	t.weight, t.canary, t.stable, t.pods = n.weight, n.canary, n.stable, n.ready
	t.phase++
	if !m.GetFirst {
		m.aim(n, i)
	}
}

// again reads the record after the cluster (rule 4).
func (m *model) again(n *state, i int) string {
	t, r := &n.tasks[i], &n.record
	switch {
	case !m.mine(r, t) || t.goesOn() && r.stage != running:
		m.supersede(n, i)
		return "record again: no longer its own, ends as Superseded"
	case m.VerbCheck && t.goesOn() && r.verb != 0:
		m.back(n, i, rollback)
		return "record again: sees the abort"
	}
	t.phase++
	if m.GetFirst {
		m.aim(n, i)
	}
	return "record again: still its own"
}

// aim decides which way a rollback goes; it is written with the condition of the second read (rule 11).
func (m *model) aim(n *state, i int) {
	t, r := &n.tasks[i], &n.record
	if !t.settles() {
		return
	}
	t.forward = 0
	if t.stable == t.rev && t.always == 0 || r.stage == promoting && has(t.pods, t.rev) && m.JanitorForward {
		t.forward = 1
	} else if r.stage == promoting && r.fence == t.fence {
		r.stage = aborting
	}
}

// measures is one measurement: what it says, nobody knows before.
func (m *model) measures(s state, i int) {
	l := s.tasks[i].label(i)
	n := s
	n.tasks[i].op, n.tasks[i].fresh = 1, 1
	l.what = "measures: pass"
	m.emit(l, n)
	n = s
	m.back(&n, i, rollback)
	if t := &s.tasks[i]; i < slots && s.record.fence == t.fence {
		n.failed |= bit(t.rev)
	}
	l.what = "measures: fail"
	m.emit(l, n)
	if n = s; !spend(&n.budget.noData) {
		return
	}
	l.what = "measures: no data"
	switch {
	case !m.DoubtPauses:
		n.tasks[i].op = 1
	case i < slots:
		n.execs[i].doubt = 1
		m.back(&n, i, pause)
	default:
		m.back(&n, i, pause)
	}
	m.emit(l, n)
}
