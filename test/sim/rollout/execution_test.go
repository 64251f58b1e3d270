package rollout

// enter moves an execution to a place, and starts the first attempt of its task.
func (s *state) enter(i int, at kind) {
	e := &s.execs[i]
	e.at, e.wait = at, 0
	s.tasks[i] = task{}
	if at == ready || at == holding || at == ended {
		return
	}
	if at != pause {
		e.doubt = 0
	}
	e.attempt++
	if at == pause {
		e.wait = 1
	}
	s.tasks[i] = task{
		kind: at, phase: claims, exec: uint8(i), fence: e.fence, attempt: e.attempt, rev: e.rev,
		index: e.index, doubt: e.doubt, resumed: e.resumed,
	}
}

func (s *state) end(i int, how uint8) {
	s.enter(i, ended)
	s.execs[i].how = how
	if how == stopped {
		s.events[i] = 1
	}
}

// How an execution ended. Of one that was stopped an event tells.
const (
	byItself = iota + 1
	superseded
	stopped
)

// goOn enters a step of the plan, or the promotion behind the last one.
func (m *model) goOn(s *state, i int, index uint8) {
	s.execs[i].index, s.execs[i].doubt = index, 0
	if int(index) < len(m.sc.plan) {
		s.enter(i, m.sc.plan[index].kind)
		return
	}
	s.enter(i, promote)
}

// back returns from an attempt; what a late one returns nobody hears.
func (m *model) back(s *state, i int, to kind) {
	t := s.tasks[i]
	s.tasks[i] = task{}
	if i >= slots {
		return
	}
	switch {
	case to == onward && t.kind == begin && t.resumed == 0:
		s.enter(i, ready)
	case to == onward && t.kind == begin:
		m.goOn(s, i, t.index)
	case to == onward:
		m.goOn(s, i, t.index+1)
	case to == holding:
		s.enter(i, holding)
		s.execs[i].back = t.kind
	case to == ended:
		s.end(i, byItself)
	default:
		s.enter(i, to)
	}
}

// supersede returns from an attempt that finds the record another's.
func (m *model) supersede(s *state, i int) {
	s.tasks[i] = task{}
	if i < slots {
		s.end(i, superseded)
	}
}

// send answers a token; one that nobody waits for is not an error (rule 13).
func (m *model) send(s *state, exec, token uint8, a answer) {
	if exec == 0 || s.execs[exec-1].wait == 0 || s.execs[exec-1].attempt != token {
		return
	}
	i := int(exec - 1)
	if a != promoted {
		s.enter(i, rollback)
		return
	}
	m.goOn(s, i, s.execs[i].index+1)
}

// launch is StartExecution: of a name that exists already it is no error (rule 2).
func (m *model) launch(s *state, exec uint8) {
	if exec == 0 || s.execs[exec-1].at != nothing {
		return
	}
	if e := &s.execs[exec-1]; e.resumed == 1 && m.ResumeKeeps {
		m.goOn(s, int(exec-1), e.index)
		return
	}
	s.enter(int(exec-1), begin)
}

// execution is what happens to an execution but for its task.
func (m *model) execution(s *state, i int) {
	e := &s.execs[i]
	step := func(what string, change func(*state)) {
		n := *s
		change(&n)
		m.emit(label{who: "state machine", exec: uint8(i) + 1, what: what}, n)
	}
	if e.at != ended && s.budget.stop > 0 {
		step("FAULT is stopped in the console", func(n *state) {
			n.budget.stop--
			n.leave(i)
			n.end(i, stopped)
			n.ticks = 0
		})
	}
	switch {
	case e.at == ready && s.isReady(e.rev):
		step("finds the canary ready", func(n *state) { m.goOn(n, i, 0) })
	case e.at == ready && (has(s.dead, e.rev) || !has(s.up, e.rev)):
		step("the progress deadline passes", func(n *state) {
			n.enter(i, rollback)
			if n.record.fence == e.fence {
				n.failed |= bit(e.rev)
			}
		})
	case e.at == holding && !s.held():
		step("traffic can go back to stable, or there is none", func(n *state) { n.enter(i, e.back) })
	case e.at == holding && e.back == rollback:
		step("gives up: RollbackFailed", func(n *state) { n.end(i, byItself) })
	case e.wait == 1 && m.sc.timed && (e.doubt == 0 || !m.DoubtWaits):
		step("the pause ends by its duration", func(n *state) {
			n.leave(i)
			m.goOn(n, i, e.index+1)
		})
	}
	if t := &s.tasks[i]; m.handsOver(t) && s.budget.handOver > 0 && s.named < slots && e.doubt == 0 {
		step("its history is long", func(n *state) {
			n.budget.handOver--
			n.enter(i, handOver)
		})
	}
	m.event(s, i)
}

// handsOver: before a step of the plan the state machine looks how long its history is.
func (m *model) handsOver(t *task) bool {
	return t.phase == claims && (t.kind == setWeight || t.kind == pause || t.kind == measure)
}

// event is the end of an execution as EventBridge tells it, late, twice or never.
func (m *model) event(s *state, i int) {
	if s.events[i] == 0 {
		return
	}
	l := label{who: "event", exec: uint8(i) + 1}
	if n := *s; spend(&n.budget.lost) {
		n.events[i] = 0
		l.what = "FAULT is lost"
		m.emit(l, n)
	}
	if s.tasks[clean].kind != nothing {
		return
	}
	n := *s
	n.events[i] = 0
	n.clean(uint8(i), s.execs[i].fence)
	l.what = "starts the janitor"
	m.emit(l, n)
	if spend(&n.budget.twice) {
		n.events[i] = 1
		l.what = "starts the janitor and will come again"
		m.emit(l, n)
	}
}

func (s *state) clean(exec, fence uint8) {
	s.tasks[clean] = task{kind: janitor, phase: claims, exec: exec, fence: fence}
}
