package rollout

// kind is a task, or a place where an execution waits for no task.
type kind uint8

const (
	nothing kind = iota
	begin
	setWeight
	pause
	measure
	promote
	rollback
	janitor
	handOver
	ready   // waits for the canary's pods
	holding // waits: stable has no ready pod to take the weight back
	ended
	onward // not a place: whatever the plan has next
)

var kindNames = [...]string{"", "Begin", "SetWeight", "Pause", "Measure", "Promote", "Rollback", "Janitor", "HandOver", "Ready", "Hold", "ended"}

// stage is the record's state; absent is a record that was lost.
type stage uint8

const (
	healthy stage = iota
	running
	promoting
	aborting
	aborted
	absent
)

// answer is what a token has been answered.
type answer uint8

const (
	noToken answer = iota
	pending
	promoted
	refused // by an abort
)

// The objects that are written on condition of their resourceVersion. Each is a bit of a task's live and stamped.
const (
	route      = iota // the HTTPRoute: the canary's weight
	canarySvc         // the Services: which revision each selects
	stableSvc         //
	replicaSet        // both ReplicaSets: which revisions have pods, and the Rollout's status beside them
	objects
)

const (
	slots = 3         // executions
	late  = slots     // the place of a task that timed out and still runs
	clean = slots + 1 // and of the janitor
	full  = 3         // weight 100; a scenario's weights are 1 and 2
)

// exec is an execution of the state machine.
type exec struct {
	at         kind
	fence, rev uint8
	attempt    uint8 // number of the latest attempt of a task
	index      uint8 // of the step in the plan
	wait       uint8 // 1: a pause waits for its token
	doubt      uint8 // 1: the pause comes of a measurement without data
	resumed    uint8 // 1: it goes on where another one handed over
	back       kind  // what holding goes back to
	how        uint8 // it ended: 1 by itself, 2 superseded, 3 stopped
}

// phase is how far an attempt of a task has come.
type phase uint8

const (
	claims phase = iota + 1
	reads
	readsAgain
	writes
	returns
)

// task is one attempt: a function that runs.
type task struct {
	kind                           kind
	phase                          phase
	op                             uint8 // the write that is next
	exec, fence, attempt, rev      uint8
	index, doubt, resumed          uint8
	live, stamped                  uint8 // objects whose resourceVersion it still has; objects that nobody changed since it did
	weight, canary, stable, pods   uint8 // what it read; pods has a bit for each revision with ready pods
	fresh, forward, always, handed uint8 // ghost: measured after the last weight change; a rollback goes forward; always back; the next execution
}

// process is one of those that act beside the executions: sync, tick, an apply, a person.
type process struct {
	pc, act, fence, exec, token, template, seen, rev, by uint8
	object, live, value                                  uint8 // of an apply
}

// record is the rollout's record (rule 1).
type record struct {
	stage         stage
	fence, exec   uint8
	rev, rejected uint8
	attempt       uint8 // the rule's "step": the attempt that claimed it last
	verb          uint8 // 1: abort
	answer        answer
	token         uint8 // attempt that waits
	index, doubt  uint8 // of the pause that waits
	pass          uint8
	fresh         uint8 // ghost: the verdict was measured after the last weight change
}

type state struct {
	commits, template             uint8
	patchAbort, patchPromote      uint8
	patchRev                      uint8 // ghost: what the promote was meant for
	weight, canary, stable        uint8
	up, ready, dead               uint8 // a bit for each revision
	shown                         uint8 // the revision whose abort the Rollout's status shows
	record                        record
	execs                         [slots]exec
	tasks                         [slots + 2]task
	sync, tick, apply             process
	people                        [2]process
	events                        [slots]uint8
	named, top                    uint8          // executions named; the highest fence given
	stamp                         [objects]uint8 // the fence that each object's annotation has
	stamper                       [objects]kind  // and the task, where that is all that the annotation has
	told, accepted, failed, ticks uint8          // ghosts: revisions said to be aborted, whose abort was accepted, that failed; ticks with dead pods under weight
	blind                         uint8          // ghost: the record was lost while PROMOTING
	budget                        budget
}

func bit(n uint8) uint8     { return 1 << n }
func has(set, n uint8) bool { return set>>n&1 == 1 }
func (r *record) open() bool {
	return r.stage == running || r.stage == promoting || r.stage == aborting
}
func (s *state) isReady(r uint8) bool { return has(s.ready, r) }

// badPods: weight goes to pods that are not there.
func (s *state) badPods() bool { return s.weight > 0 && !s.isReady(s.canary) }

// held: stable cannot take the weight back, and the canary carries it.
func (s *state) held() bool { return s.weight > 0 && !s.isReady(s.stable) && s.isReady(s.canary) }

// quiet: nothing goes on by itself; only the tick, a person or a fault makes a step.
func (s *state) quiet() bool {
	for i := range s.tasks {
		if s.tasks[i].kind != nothing {
			return false
		}
	}
	for i := range s.execs {
		e := &s.execs[i]
		if e.at != nothing && e.at != ended && e.wait == 0 && (e.at != holding || !s.held()) {
			return false
		}
	}
	return s.events == [slots]uint8{} && s.sync.pc|s.tick.pc|s.apply.pc|s.people[0].pc|s.people[1].pc == 0
}

func spend(budget *uint8) bool {
	if *budget == 0 {
		return false
	}
	*budget--
	return true
}

// canon forgets what no longer matters, so that states which differ in it alone are one.
func (m *model) canon(s *state) {
	for i := range s.execs {
		e := &s.execs[i]
		if e.at != ended {
			continue
		}
		*e = exec{at: ended, fence: e.fence, rev: e.rev, how: e.how}
		if s.events[i] == 0 && s.record.exec != uint8(i)+1 {
			*e = exec{at: ended}
		}
	}
	if !s.badPods() {
		s.ticks = 0
	}
}

func (m *model) first() state {
	return state{
		budget: m.sc.budget, template: 1, canary: 1, stable: 1, up: bit(1), ready: bit(1), top: 1,
		record: record{fence: 1, rev: 1},
	}
}
