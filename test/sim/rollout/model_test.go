package rollout

import "fmt"

// model is a protocol in a scenario. It tells each step that a state allows to emit, and each property that the step
// breaks to bad, before; and those that a state breaks in which nothing happens any more, to still.
type model struct {
	rules
	sc    scenario
	emit  func(label, state)
	bad   func(property string)
	still func(property string)
}

// label says what a step was; it is put into words only for a trace.
type label struct {
	who  string
	exec uint8 // of an execution; 0 of anything else
	what string
}

func (l label) text(s *state) string {
	who := l.who
	if l.exec > 0 {
		who = fmt.Sprintf("%s of execution %d", who, l.exec)
	}
	return fmt.Sprintf("%s: %s  [weight %d, canary %d, stable %d, up %03b, ready %03b, record %s rev %d fence %d attempt %d]", who, l.what,
		s.weight, s.canary, s.stable, s.up>>1, s.ready>>1, stageNames[s.record.stage], s.record.rev, s.record.fence, s.record.attempt)
}

var stageNames = [...]string{"HEALTHY", "RUNNING", "PROMOTING", "ABORTING", "ABORTED", "lost"}

// expand emits every successor of a state: one step of one process, one message, one fault, one event outside.
func (m *model) expand(s *state) {
	quiet := s.quiet()
	act, _ := m.decide(s, s.template, s.look())
	if quiet && act == actNone {
		m.settled(s)
	}
	for i := range s.tasks {
		if s.tasks[i].kind != nothing {
			m.task(*s, i)
			m.faults(s, i)
		}
	}
	for i := range s.execs {
		if s.execs[i].at != nothing {
			m.execution(s, i)
		}
	}
	m.pods(s)
	m.sync(*s)
	m.tick(*s, quiet, act)
	m.applies(*s)
	m.people(s)
	if n := *s; s.record.stage != absent && spend(&n.budget.lose) {
		if s.record.stage == promoting {
			n.blind = 1
		}
		n.record = record{stage: absent}
		n.failed &= bit(s.shown) // what nothing but the record knew
		m.emit(label{who: "FAULT", what: "the record is lost"}, n)
	}
}

// settled holds the properties of a state in which nothing happens any more and the tick has nothing to do.
func (m *model) settled(s *state) {
	r := &s.record
	isClean := s.weight == 0 && s.up == bit(s.stable) && s.canary == s.stable
	if s.badPods() {
		m.still("R1 weight stays on a canary without ready pods")
	}
	switch r.stage {
	case healthy:
		if !isClean || s.stable != r.rev {
			m.still("R4 record HEALTHY, cluster not")
		}
	case aborted:
		if !isClean || s.stable == r.rev && s.template == r.rev {
			m.still("R4 record ABORTED, cluster not")
		}
	case running:
		m.waits(s)
	case promoting, aborting:
		if !s.held() {
			m.still("R4 record stays PROMOTING or ABORTING")
		}
	case absent:
	}
	if !r.open() && s.template != r.rev && s.named < slots {
		m.still("R4 the wanted revision is never started")
	}
	if s.patchAbort|s.patchPromote != 0 && !s.held() {
		m.still("R5 a plugin patch is never answered")
	}
}

// waits: a rollout that runs and does nothing waits for somebody to answer its token.
func (m *model) waits(s *state) {
	r := &s.record
	e := exec{}
	if r.exec > 0 {
		e = s.execs[r.exec-1]
	}
	switch {
	case e.at == holding && s.held():
	case e.wait == 0 || r.token != e.attempt:
		m.still("R4 RUNNING without a live execution on a live token")
	case r.answer != pending || r.verb != 0:
		m.still("R5 an accepted verb is never carried out")
	}
}
