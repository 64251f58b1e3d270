package rollout

// rules are the protocol's switches; protocol is all of them, a mutation drops one. The numbers are the protocol's.
type rules struct {
	GetFirst         bool // 4: a task reads the cluster, then the record, then writes (else the record first)
	CAS              bool // 4: writes to the cluster carry the resourceVersion of that read
	Touch            bool // 5: Begin, Rollback and janitor really change every object that an older run may write
	TouchAttempt     bool // 5: by an annotation of fence and attempt (else fence and task: a second attempt changes nothing)
	BeginStable      bool // 5: Begin touches the stable Service too, first
	StableFirst      bool // 5: a rollback touches the stable Service before it takes the weight away (else after)
	StepFence        bool // 3: every attempt of every task claims the record with a number that grows; a lower one stops
	VerbCheck        bool // 4: the claim and the second read look for an abort
	StartRecordFirst bool // 2: the record has fence, execution and revision first; then StartExecution by that name
	StartCond        bool // 2: on condition that the fence is the one read
	TickStarts       bool // 2: the tick starts what the record names and nobody started
	NoStartPromoting bool // 2: nothing is started while the record says PROMOTING; the tick does it afterwards
	NewFences        bool // 2: a fence is never used again, also after the record was lost
	ShownAbort       bool // 2: without a record, what the Rollout's status shows as aborted is not started but cleaned up
	PromotingFirst   bool // 9: PROMOTING is written before weight 100
	PassNeeded       bool // 9: on condition that there is a verdict
	PassStays        bool // 7: SetWeight leaves the verdicts of the steps before (else it takes them away)
	MeasureCond      bool // 9: a verdict is written only by the attempt that has the record
	AbortCond        bool // 12: abort on condition RUNNING and the fence as read
	PromoteCond      bool // 13: promote on condition that the token is PENDING
	TokenBind        bool // 13: promote names the token that was seen
	TokenVerb        bool // 8: a token is not registered over an abort
	TokenKeeps       bool // 8: the second attempt of a pause finds a promote decided, and answers its own token
	TokenIndex       bool // 8: of this very step of the plan
	DoubtWaits       bool // 16: a pause for want of data has no duration
	DoubtPauses      bool // 16: no data is a pause (else it is a pass)
	DoubtPass        bool // 16: the promote of such a pause is the verdict
	TickResend       bool // 14: the tick sends decided tokens again
	ClearLast        bool // 14: the tick clears a patch last
	RecordThenList   bool // 14: the tick reads the record, then LISTs
	TickPods         bool // 14: the tick aborts a canary with weight and no ready pods
	TickOwn          bool // 14: if they are those of the record's revision
	BeginClears      bool // 6: Begin clears patches meant for the revision before
	ResumeKeeps      bool // 17: the next execution goes on at the step, without a Begin
	HandOverFence    bool // 17: a hand-over takes a new fence
	HandOverVerb     bool // 17: only if there is no verb
	HandOverPass     bool // 17: the verdict goes with it
	Reject           bool // 11: the record keeps the rejected hash; it is not started
	AckLate          bool // 12: "aborted" is told when the record says ABORTED
	JanitorFence     bool // 15: the janitor takes a new fence
	JanitorCond      bool // 15: on condition that the fence is that of the ended execution
	JanitorForward   bool // 11: what is PROMOTING and ready goes forward
	ForwardCanary    bool // 11: forward also means that the canary Service selects the revision
	TickJanitor      bool // 15: the tick runs the janitor too
	EndedOnly        bool // 15: only for ended executions
	TickHolds        bool // 15: not while stable cannot take the weight back
	ReadyCheck       bool // 7: SetWeight looks at the pods itself
	WeightFirst      bool // 11: weight 0, then the canary's pods
	HoldRollback     bool // 11: a rollback leaves the weight while stable has no ready pod and the canary has
	HoldBegin        bool // 6: and so does Begin
	EndCond          bool // 11: the last write of the record is conditional
	Held             bool // 18: sync and sweep put the live value where the Rollout holds the field
	HeldAlways       bool // 18: as long as there is a Rollout (else while an execution runs)
	HeldByRollout    bool // 18: because it is there (else because a record is)
	ApplyCAS         bool // 18: under the resourceVersion of the value
}

func protocol() rules {
	return rules{
		GetFirst: true, CAS: true, Touch: true, TouchAttempt: true, BeginStable: true, ForwardCanary: true, StableFirst: true, StepFence: true, VerbCheck: true,
		StartRecordFirst: true, StartCond: true, TickStarts: true, NoStartPromoting: true, NewFences: true, ShownAbort: true,
		PromotingFirst: true, PassNeeded: true, PassStays: true, MeasureCond: true, AbortCond: true, PromoteCond: true,
		TokenBind: true, TokenVerb: true, TokenKeeps: true, TokenIndex: true, DoubtWaits: true, DoubtPauses: true, DoubtPass: true,
		TickResend: true, ClearLast: true, RecordThenList: true, TickPods: true, TickOwn: true, BeginClears: true,
		ResumeKeeps: true, HandOverFence: true, HandOverVerb: true, HandOverPass: true, Reject: true, AckLate: true,
		JanitorFence: true, JanitorCond: true, JanitorForward: true, TickJanitor: true, EndedOnly: true, TickHolds: true,
		ReadyCheck: true, WeightFirst: true, HoldRollback: true, HoldBegin: true, EndCond: true,
		Held: true, HeldAlways: true, HeldByRollout: true, ApplyCAS: true,
	}
}
