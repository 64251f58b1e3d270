package rollout

// What the tick may do next, the first that applies.
const (
	actNone = iota
	actStart
	actJanitor
	actAbort
	actPromote
	actResend
	actDrop
	actNew
)

var actNames = [...]string{"", "will start the execution of the record", "will run the janitor", "will abort", "will promote", "will send the token again", "will end a superseded wait", "will start a revision"}

// What LIST shows of what the tick looks for.
const (
	sawAbort = 1 << iota
	sawPromote
	sawBadPods
	sawOthers // the pods that are gone are another revision's
	sawHeld   // stable cannot take the weight back
)

func (s *state) look() uint8 {
	seen := s.patchAbort*sawAbort | s.patchPromote*sawPromote
	if s.badPods() {
		seen |= sawBadPods
	}
	if s.canary != s.record.rev {
		seen |= sawOthers
	}
	if s.held() {
		seen |= sawHeld
	}
	return seen
}

// decide is the tick's decision (rules 14 and 15).
func (m *model) decide(s *state, template, seen uint8) (act, exec uint8) {
	r := &s.record
	at := ended
	if r.exec > 0 {
		at = s.execs[r.exec-1].at
	}
	switch {
	case r.open() && at == nothing:
		if m.TickStarts {
			return actStart, r.exec
		}
		return actNone, 0
	case r.open() && (at == ended || !m.EndedOnly && s.badPods()) && m.TickJanitor && s.tasks[clean].kind == nothing && (seen&sawHeld == 0 || !m.TickHolds):
		return actJanitor, r.exec
	case seen&sawAbort != 0 && !(r.stage == aborting && at == ended): // of a rollback that failed the patch stays
		return actAbort, r.exec
	case seen&sawBadPods != 0 && (seen&sawOthers == 0 || !m.TickOwn) && m.TickPods && r.stage == running && r.verb == 0:
		return actAbort, r.exec
	case seen&sawPromote != 0 && !(r.stage == aborting && at == ended):
		return actPromote, r.exec
	case m.TickResend && r.exec > 0 && s.execs[r.exec-1].wait == 1 && r.token == s.execs[r.exec-1].attempt && (r.answer > pending || r.verb != 0):
		return actResend, r.exec
	}
	for i := range s.execs {
		if s.execs[i].wait == 1 && uint8(i)+1 != r.exec {
			return actDrop, uint8(i) + 1
		}
	}
	wanted := template != r.rev && (template != r.rejected || !m.Reject) || !m.Reject && r.stage == aborted && template != s.stable
	if wanted && s.named < slots && (!m.NoStartPromoting || r.stage != promoting) {
		return actNew, 0
	}
	return actNone, 0
}

// tick is one step of a tick: record, LIST, then what was decided, each write on the fence read.
func (m *model) tick(n state, quiet bool, act uint8) {
	before := n
	p := &n.tick
	if p.pc == 0 {
		if act == actNone || !quiet && !spend(&n.budget.tick) {
			return
		}
		if quiet && act == actJanitor && n.held() {
			m.bad("R9 the tick runs the janitor again and again")
		}
		if quiet && n.badPods() {
			if n.ticks > 0 {
				m.bad("R1 weight on a canary without ready pods after a whole tick")
			}
			n.ticks = 1
		}
		p.pc = 1
	}
	l := label{who: "tick"}
	switch p.pc {
	case 1:
		p.pc = 2
		if l.what = "begins, reads the record"; m.RecordThenList {
			p.readRecord(&n)
		} else {
			l.what = "begins, LISTs"
			p.list(&n)
		}
	case 2:
		if m.RecordThenList {
			p.list(&n)
		} else {
			p.readRecord(&n)
		}
		p.act, p.exec = m.decide(&n, p.template, p.seen)
		if p.pc, l.what = 3, actNames[p.act]; p.act == actNone || p.fence != n.record.fence {
			n.tick = process{}
			l.what = "has nothing to do"
		}
	case 3:
		l.what = m.ticks(&n)
	case 4:
		if l.what = "sends the token"; p.act == actNew {
			m.launch(&n, p.exec)
			n.tick = process{}
			l.what = "calls StartExecution"
			break
		}
		m.send(&n, p.exec, n.record.token, map[uint8]answer{actAbort: refused, actPromote: promoted}[p.act])
		p.pc = 5
	case 5:
		n.clear(p.act)
		n.tick = process{}
		l.what = "clears the patch"
	}
	m.emit(l, n)
	if n = before; n.tick.pc > 2 && spend(&n.budget.crash) {
		if n.tick.by == 2 && n.tick.pc == 3 {
			m.bad("R5 a plugin verb is lost")
		}
		n.tick, n.ticks = process{}, 0
		l.what = "FAULT crashes"
		m.emit(l, n)
	}
}

func (p *process) readRecord(s *state) {
	p.fence, p.token = s.record.fence, 0
	if s.record.answer == pending {
		p.token = s.record.token
	}
}

func (p *process) list(s *state) { p.template, p.seen, p.by = s.template, s.look(), 1 }

func (s *state) clear(act uint8) {
	if act == actAbort {
		s.patchAbort = 0
	} else {
		s.patchPromote = 0
	}
}

// ticks does what was decided.
func (m *model) ticks(n *state) string {
	p, r := &n.tick, &n.record
	done := func(what string) string {
		n.tick = process{}
		return what
	}
	switch p.act {
	case actStart:
		m.launch(n, p.exec)
		return done("StartExecution by the name in the record")
	case actJanitor:
		if n.tasks[clean].kind == nothing {
			n.clean(max(p.exec, 1)-1, p.fence)
		}
		return done("runs the janitor")
	case actAbort, actPromote:
		if !m.ClearLast && p.by == 1 {
			p.by = 2
			n.clear(p.act)
			return "clears the patch"
		}
		return m.tickVerb(n)
	case actResend, actDrop:
		a, token := refused, n.execs[p.exec-1].attempt
		if p.act == actResend {
			token = r.token
			if r.answer == promoted && r.verb == 0 {
				a = promoted
			}
		}
		m.send(n, p.exec, token, a)
		return done("sends the token")
	}
	if !m.start(n, p, false) {
		return done("the start is refused")
	}
	if p.pc = 4; p.exec == 0 {
		return done("names the revision as one to clean up")
	}
	return "names the execution in the record"
}

func (m *model) tickVerb(n *state) string {
	p := &n.tick
	told := false
	if p.act == actAbort {
		if p.seen&sawOthers != 0 && p.seen&sawAbort == 0 {
			m.bad("R13 a revision is aborted for another one's pods")
		}
		told = m.askAbort(n, p.fence)
	} else {
		told = m.askPromote(n, p.fence, p.token, n.patchRev)
	}
	switch {
	case told:
		p.pc = 4
		return "writes the verb into the record"
	case p.fence != n.record.fence:
		n.tick = process{}
		return "the record moved on, next tick"
	}
	p.pc = 5
	return "answers: refused"
}
