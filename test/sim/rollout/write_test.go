package rollout

// change is what a write makes of an object.
type change struct {
	object int
	weight uint8
	value  uint8 // of a selector, or the set of revisions with pods
}

// write is one write of an attempt; it says what became of it.
func (m *model) write(n *state, i int, o op) string {
	t := &n.tasks[i]
	switch {
	case o == zero && m.holds(t):
		m.back(n, i, holding)
		return "stable has no ready pod: the weight stays"
	case o == raise && !has(t.pods, t.rev) && m.ReadyCheck,
		o == hundred && t.stable != t.rev && !has(t.pods, t.rev) && t.kind == promote:
		m.back(n, i, rollback)
		return "the canary is not ready, goes to Rollback"
	case o == hundred && t.stable == t.rev, o == stableOwn && t.stable == t.rev:
		t.op++
		return "the stable Service has moved already"
	case o == clearPatches:
		if m.BeginClears {
			n.patchAbort, n.patchPromote = 0, 0
		}
		t.op++
		return "clears old patches"
	case o == verdict:
		return m.writeVerdict(n, i)
	case o == settle:
		return m.writeEnd(n, i)
	}
	c, what := m.change(n, t, o)
	if !m.put(n, i, c) {
		t.phase, t.op = reads, 0
		return "409, reads again"
	}
	if o == setsOnly && t.settles() {
		n.shown = t.rev
	}
	if o == setsBoth || o == setsOnly && t.kind == begin {
		n.shown = 0
	}
	t.op++
	return what
}

// holds: nothing takes the weight from pods that serve and gives it to a stable without any (rules 6 and 11).
func (m *model) holds(t *task) bool {
	if t.weight == 0 || has(t.pods, t.stable) || !has(t.pods, t.canary) || t.forward == 1 || t.kind == promote {
		return false
	}
	return t.kind == begin && m.HoldBegin || t.settles() && m.HoldRollback
}

func (m *model) change(n *state, t *task, o op) (change, string) {
	switch o {
	case touchStable:
		return change{stableSvc, 0, n.stable}, "touches the stable Service"
	case zero:
		return change{route, 0, 0}, "writes weight 0"
	case raise:
		return change{route, m.sc.plan[t.index].weight, 0}, "writes the weight of the step"
	case hundred:
		return change{route, full, 0}, "writes weight 100"
	case canaryOwn:
		return change{canarySvc, 0, t.rev}, "points the canary Service to its revision"
	case canaryBack:
		return change{canarySvc, 0, t.stable}, "points the canary Service to stable"
	case stableOwn:
		return change{stableSvc, 0, t.rev}, "points the stable Service to its revision"
	case setsBoth:
		return change{replicaSet, 0, bit(t.stable) | bit(t.rev)}, "scales up"
	case setsOwn:
		return change{replicaSet, 0, bit(t.rev)}, "scales down"
	default: // setsOnly: write has done with what writes no object
		return change{replicaSet, 0, bit(t.stable)}, "scales down, shows the abort"
	}
}

// put writes an object on condition of the resourceVersion that was read, and holds the properties of every write.
func (m *model) put(n *state, i int, c change) bool {
	t := &n.tasks[i]
	if m.CAS && !has(t.live, uint8(c.object)) {
		return false
	}
	differs := n.differs(c)
	touch := m.Touch && t.touches() && !has(t.stamped, uint8(c.object))
	if m.Touch && !m.TouchAttempt && t.touches() {
		touch = n.stamp[c.object] != t.fence || n.stamper[c.object] != t.kind
	}
	if !differs && !touch {
		return true
	}
	if t.fence < n.stamp[c.object] {
		m.bad("R3 a write of an older fence succeeds")
	}
	if differs {
		m.check(n, t, c)
	}
	n.stamp[c.object] = t.fence
	if !m.TouchAttempt {
		n.stamper[c.object] = t.kind
	}
	n.moved(i, c, differs)
	t.stamped |= bit(uint8(c.object))
	n.set(c)
	return true
}

func (s *state) differs(c change) bool {
	switch c.object {
	case route:
		return s.weight != c.weight
	case canarySvc:
		return s.canary != c.value
	case stableSvc:
		return s.stable != c.value
	}
	return s.up != c.value
}

func (s *state) set(c change) {
	switch c.object {
	case route:
		s.weight = c.weight
	case canarySvc:
		s.canary = c.value
	case stableSvc:
		s.stable = c.value
	default:
		s.up = c.value
		s.ready &= s.up
	}
}

// moved: an object has another resourceVersion, so what others read of it is old.
func (s *state) moved(writer int, c change, differs bool) {
	for k := range s.tasks {
		if k != writer {
			s.tasks[k].live &^= bit(uint8(c.object))
			s.tasks[k].stamped &^= bit(uint8(c.object))
		}
		if c.object == route && differs {
			s.tasks[k].fresh = 0
		}
	}
	if c.object == route && differs {
		s.record.fresh = 0
	}
	if s.apply.object == uint8(c.object) {
		s.apply.live = 0
	}
}

// check holds the properties of a write that changes a value.
func (m *model) check(n *state, t *task, c change) {
	switch c.object {
	case route:
		m.checkWeight(n, t, c.weight)
	case canarySvc:
		if n.weight > 0 {
			m.bad("R11 the canary Service moves under weight")
		}
	case stableSvc:
		if has(n.accepted, c.value) && (n.blind == 0 || t.fence == n.record.fence) { // see README, what is left
			m.bad("R5 abort accepted, yet promoted")
		}
		if !n.isReady(c.value) && !has(t.pods, c.value) {
			m.bad("R1 the stable Service moves without looking at the pods")
		}
		if n.weight != full || n.canary != c.value {
			m.bad("R11 the stable Service moves while its pods have traffic")
		}
	case replicaSet:
		if n.weight > 0 && !has(c.value, n.canary) {
			m.bad("R1 scaled down under weight")
		}
		if !has(c.value, n.stable) {
			m.bad("R4 stable scaled down")
		}
	}
}

func (m *model) checkWeight(n *state, t *task, weight uint8) {
	if weight > n.weight {
		if has(n.told, t.rev) {
			m.bad("R2 weight raised after the abort was acknowledged")
		}
		if !n.isReady(t.rev) && !has(t.pods, t.rev) {
			m.bad("R1 weight raised without looking at the pods")
		}
		if n.canary != t.rev {
			m.bad("R11 weight to another revision")
		}
	}
	if weight < n.weight && n.held() && !has(t.pods, n.stable) {
		m.bad("R10 weight taken from ready pods and given to none")
	}
}

func (m *model) writeVerdict(n *state, i int) string {
	t, r := &n.tasks[i], &n.record
	if m.MeasureCond && (!m.mine(r, t) || r.verb != 0) {
		m.back(n, i, rollback)
		return "the verdict is refused"
	}
	r.pass, r.fresh = t.index+1, t.fresh
	m.back(n, i, onward)
	return "writes the verdict"
}

// writeEnd is the last write of the record (rules 10 and 11).
func (m *model) writeEnd(n *state, i int) string {
	t, r := &n.tasks[i], &n.record
	if m.EndCond && !m.mine(r, t) {
		m.supersede(n, i)
		return "the last write of the record is refused"
	}
	if r.stage == absent {
		m.supersede(n, i)
		return "there is no record"
	}
	r.verb, r.token, r.answer, t.phase = 0, 0, noToken, returns
	if t.settles() && t.forward == 0 {
		r.stage = aborted
		if m.Reject {
			r.rejected = t.rev
		}
		n.told |= bit(t.rev)
		n.failed |= bit(t.rev)
		return "record ABORTED"
	}
	r.stage = healthy
	return "record HEALTHY"
}
