package rollout

// start is the conditional write that names an execution (rule 2). retry is a person's, of a rejected revision.
func (m *model) start(n *state, p *process, retry bool) bool {
	r := &n.record
	switch {
	case m.StartCond && r.fence != p.fence,
		m.NoStartPromoting && r.stage == promoting,
		n.named >= slots,
		p.template == r.rev && r.stage != aborted && m.StartRecordFirst,
		p.template == r.rejected && m.Reject && !retry:
		return false
	}
	if r.stage == absent && m.ShownAbort && p.template == n.shown {
		return m.startCleaning(n, p)
	}
	if !retry && has(n.failed, p.template) && p.template != n.stable {
		m.bad("R7 a rejected hash is started again")
	}
	if p.template != n.template && r.rev == n.template {
		m.bad("R7 an older revision is started over the wanted one")
	}
	n.named++
	p.exec = n.named
	n.failed &^= bit(p.template)
	n.told, n.accepted = n.told&^bit(p.template), n.accepted&^bit(p.template)
	next := &n.execs[p.exec-1]
	*next = exec{rev: p.template}
	if !m.StartRecordFirst {
		return true
	}
	m.newFence(n)
	*r = record{fence: r.fence, exec: p.exec, stage: running, rev: p.template}
	next.fence = r.fence
	return true
}

// startCleaning is the start of what the Rollout's status shows as aborted: the janitor's work, no execution.
func (m *model) startCleaning(n *state, p *process) bool {
	m.newFence(n)
	n.record = record{fence: n.record.fence, stage: aborting, rev: p.template}
	p.exec = 0
	return true
}

// askAbort and askPromote are the conditional writes of a verb (rules 12 and 13); they say whether the caller is told yes.
func (m *model) askAbort(n *state, fence uint8) bool {
	r := &n.record
	if r.stage == absent || m.AbortCond && (r.stage != running || r.fence != fence) {
		return false
	}
	n.accepted |= bit(r.rev)
	if r.stage == healthy || r.stage == promoting {
		m.bad("R5 abort accepted although promoting or promoted")
	}
	if !m.AckLate {
		n.told |= bit(r.rev)
	}
	if r.verb = 1; r.answer == pending {
		r.answer = refused
	}
	return true
}

func (m *model) askPromote(n *state, fence, token, rev uint8) bool {
	r := &n.record
	if r.stage == absent || m.TokenBind && (r.fence != fence || r.token != token || token == 0) || m.PromoteCond && r.answer != pending {
		return false
	}
	if r.rev != rev {
		m.bad("R5 promote goes to another revision than the caller saw")
	}
	if r.answer == refused || r.verb != 0 {
		m.bad("R8 promote and abort of one token are both told yes")
	}
	if r.answer = promoted; r.doubt == 1 && m.DoubtPass {
		r.pass, r.fresh = r.index+1, 1
	}
	return true
}

// people look at the record, decide, and ask through the command; or patch the Rollout with the plugin.
func (m *model) people(s *state) {
	m.person(*s, 0, "promotes")
	m.person(*s, 1, "aborts")
	r := &s.record
	if n := *s; s.people[0].pc == 0 && r.stage == aborted && s.template == r.rev && spend(&n.budget.retry) {
		p := &n.people[0]
		*p = process{fence: r.fence, template: r.rev}
		if m.start(&n, p, true) {
			p.pc = 3
			m.emit(label{who: "person", what: "retries the aborted revision"}, n)
		}
	}
	if n := *s; s.patchPromote == 0 && r.stage == running && r.answer == pending && s.template == r.rev && spend(&n.budget.patchPromote) {
		n.patchPromote, n.patchRev = 1, r.rev
		m.emit(label{who: "plugin", what: "patches promote"}, n)
	}
	if n := *s; s.patchAbort == 0 && r.stage == running && s.template == r.rev && spend(&n.budget.patchAbort) {
		n.patchAbort = 1
		m.emit(label{who: "plugin", what: "patches abort"}, n)
	}
}

// person is one step of one who promotes (0) or aborts (1).
func (m *model) person(n state, i int, who string) {
	before := n
	p, r := &n.people[i], &n.record
	l := label{who: "who " + who}
	switch p.pc {
	case 0:
		if r.stage != running || i == 0 && (r.answer != pending || !spend(&n.budget.promote)) || i == 1 && !spend(&n.budget.abort) {
			return
		}
		*p = process{pc: 1, fence: r.fence, token: r.token, exec: r.exec, rev: r.rev}
		l.what = "looks and decides"
		m.emit(l, n)
		return
	case 1:
		if i == 0 && m.askPromote(&n, p.fence, p.token, p.rev) || i == 1 && m.askAbort(&n, p.fence) {
			p.pc, p.exec, p.token = 2, r.exec, r.token
			l.what = "writes it into the record, is told yes"
		} else {
			*p = process{}
			l.what = "is refused and told why"
		}
	case 2:
		m.send(&n, p.exec, p.token, []answer{promoted, refused}[i])
		*p = process{}
		l.what = "sends the token"
	case 3:
		m.launch(&n, p.exec)
		*p = process{}
		l.what = "calls StartExecution"
	}
	m.emit(l, n)
	if n = before; n.people[i].pc > 1 && spend(&n.budget.crash) {
		n.people[i] = process{}
		l.what = "FAULT crashes"
		m.emit(l, n)
	}
}
