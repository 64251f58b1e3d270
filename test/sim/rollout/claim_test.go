package rollout

// claim is the first thing an attempt does: one conditional write of the record (rule 3), or the reason why not.
func (m *model) claim(n *state, i int) string {
	t, r := &n.tasks[i], &n.record
	if t.kind == janitor {
		return m.claimJanitor(n, i)
	}
	if t.kind == begin && t.fence == 0 { // StartRecordFirst dropped: Begin itself takes the record
		n.top++
		*r = record{stage: running, fence: n.top, exec: t.exec + 1, rev: t.rev}
		t.fence = n.top
		if i < slots {
			n.execs[i].fence = n.top
		}
	}
	switch {
	case r.stage == absent || r.fence != t.fence:
		m.supersede(n, i)
		return "the fence is another's, ends as Superseded"
	case m.StepFence && (r.attempt > t.attempt || r.attempt == t.attempt && i == late):
		m.supersede(n, i)
		return "a later attempt has the record, stops"
	case t.kind == promote && r.stage == healthy:
		m.back(n, i, ended)
		return "is promoted already"
	case t.goesOn() && r.stage != running, t.kind == promote && r.stage != running && r.stage != promoting:
		m.back(n, i, rollback)
		return "the record is not RUNNING, goes to Rollback"
	case m.seesAbort(t, r):
		m.back(n, i, rollback)
		return "sees the abort, goes to Rollback"
	}
	if m.StepFence {
		r.attempt = t.attempt
	}
	t.phase = reads
	switch t.kind {
	case pause:
		return m.claimPause(n, i)
	case setWeight:
		m.verdictBefore(n, t)
		r.token, r.answer = 0, noToken
		if !m.PassStays {
			r.pass = 0
		}
	case measure:
		r.token, r.answer, t.phase = 0, noToken, writes
	case promote:
		return m.claimPromote(n, i)
	case rollback:
		if r.stage == healthy || r.stage == aborted {
			m.back(n, i, ended)
			return "is settled already"
		}
		if r.stage == running {
			r.stage = aborting
		}
	case handOver:
		return m.claimHandOver(n, i)
	default: // Begin claims and no more
	}
	return "claims the record"
}

// seesAbort: an abort stands in the record, and this task may still hear it. A hand-over and a pause have conditions of
// their own.
func (m *model) seesAbort(t *task, r *record) bool {
	if r.verb == 0 || !t.goesOn() && (t.kind != promote || r.stage != running) {
		return false
	}
	switch t.kind {
	case pause:
		return m.VerbCheck && m.TokenVerb
	case handOver:
		return m.VerbCheck && m.HandOverVerb
	default:
		return m.VerbCheck
	}
}

func (m *model) claimPause(n *state, i int) string {
	t, r := &n.tasks[i], &n.record
	if r.answer == promoted && m.TokenKeeps && (r.index == t.index || !m.TokenIndex) {
		if r.index != t.index {
			m.bad("R8 one promote ends two pauses")
		}
		m.back(n, i, onward)
		return "promote is decided already, answers its own token"
	}
	if r.answer == promoted && r.index == t.index && i < slots {
		m.bad("R5 an accepted promote is overwritten")
	}
	r.token, r.index, r.doubt, r.answer, t.phase = t.attempt, t.index, t.doubt, pending, returns
	return "registers its token"
}

func (m *model) claimPromote(n *state, i int) string {
	r := &n.record
	if r.stage != running {
		return "claims the record"
	}
	if m.PassNeeded && r.pass < m.verdicts(len(m.sc.plan)) {
		if r.answer == promoted {
			m.bad("R5 an accepted promote is undone")
		}
		if i < slots {
			m.bad("R6 rolled back for want of a verdict that it had")
		}
		m.back(n, i, rollback)
		return "no passing verdict, goes to Rollback"
	}
	if m.PromotingFirst {
		if r.fresh == 0 && m.judged(len(m.sc.plan)) {
			m.bad("R6 promoted without a fresh verdict")
		}
		r.stage = promoting
	}
	return "claims the record, PROMOTING"
}

// verdictBefore: behind a measurement of the plan the weight goes up only after a verdict at the weight before.
func (m *model) verdictBefore(n *state, t *task) {
	if m.judged(int(t.index)) && n.weight < m.sc.plan[t.index].weight && n.record.fresh == 0 {
		m.bad("R6 the weight goes on without a fresh verdict")
	}
}

// verdicts is what the record has for a verdict when every measurement before a step of the plan has passed: the number
// of the last one.
func (m *model) verdicts(index int) uint8 {
	for i := index; i > 0; i-- {
		if m.sc.plan[i-1].kind == measure {
			return uint8(i)
		}
	}
	return 0
}

// judged: the plan measures between its last weight and a step.
func (m *model) judged(index int) bool {
	for i := index; i > 0; i-- {
		if kind := m.sc.plan[i-1].kind; kind != pause {
			return kind == measure
		}
	}
	return false
}

// claimHandOver names the execution that goes on (rule 17): a start that keeps what is known.
func (m *model) claimHandOver(n *state, i int) string {
	t, r := &n.tasks[i], &n.record
	if r.verb != 0 {
		m.bad("R5 an accepted abort is handed over")
	}
	n.named++
	next := &n.execs[n.named-1]
	*next = exec{rev: t.rev, index: t.index, resumed: 1, fence: t.fence, attempt: t.attempt}
	t.handed, t.phase = n.named, returns
	r.exec, r.verb = n.named, 0
	if m.HandOverFence {
		m.newFence(n)
		next.fence, next.attempt, r.attempt = r.fence, 0, 0
	}
	if !m.HandOverPass {
		r.pass = 0
	}
	if r.answer != promoted {
		r.token, r.answer = 0, noToken
	}
	return "names the next execution in the record"
}

// newFence gives the record a fence that no record ever had.
func (m *model) newFence(n *state) {
	if m.NewFences {
		n.top++
		n.record.fence = n.top
		return
	}
	n.record.fence++
	n.top = max(n.top, n.record.fence)
}

func (m *model) claimJanitor(n *state, i int) string {
	t, r := &n.tasks[i], &n.record
	if r.stage == absent || m.JanitorCond && (r.fence != t.fence || !r.open()) {
		m.back(n, i, ended)
		return "the record is another's or settled, stops"
	}
	if m.JanitorFence {
		m.newFence(n)
		r.attempt = 0
	}
	if r.exec > 0 && n.execs[r.exec-1].at != ended {
		m.bad("R3 the janitor takes the record from a live execution")
	}
	t.fence, t.attempt, t.rev, t.phase = r.fence, r.attempt, r.rev, reads
	if !m.JanitorCond && r.stage == healthy {
		t.always = 1
	}
	if r.stage == running {
		r.stage = aborting
	}
	return "takes the record"
}
