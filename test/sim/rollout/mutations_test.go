package rollout

import (
	"reflect"
	"strings"
	"testing"
)

// mutations drop a rule each. The search is breadth first, so steps is the length of the shortest way to the fault.
var mutations = []struct {
	dropped  string
	drop     func(*rules)
	scenario string
	property string
	steps    int
}{
	{"2: the record before StartExecution", func(r *rules) { r.StartRecordFirst = false }, "pods", "R7 a rejected hash is started again", 19},
	{"2: a start on condition of the fence read", func(r *rules) { r.StartCond = false }, "swap", "R7 an older revision is started over the wanted one", 12},
	{"2: the tick starts what is named", func(r *rules) { r.TickStarts = false }, "crash", "R4 RUNNING without a live execution on a live token", 6},
	{"2: fences are never used again", func(r *rules) { r.NewFences = false }, "lost record", "R3 a write of an older fence succeeds", 25},
	{"2: without a record the status decides", func(r *rules) { r.ShownAbort = false }, "lost record", "R7 a rejected hash is started again", 20},
	{"3: a number for each attempt", func(r *rules) { r.StepFence = false }, "late", "R4 RUNNING without a live execution on a live token", 27},
	{"4: the record after the cluster", func(r *rules) { r.GetFirst = false }, "late", "R4 record ABORTED, cluster not", 24},
	{"4: compare-and-swap", func(r *rules) { r.CAS = false }, "late", "R4 record ABORTED, cluster not", 25},
	{"4: tasks look for an abort", func(r *rules) { r.VerbCheck = false }, "verbs", "R5 abort accepted, yet promoted", 35},
	{"5: touch", func(r *rules) { r.Touch = false }, "late", "R4 record ABORTED, cluster not", 25},
	{"5: the touch differs for each attempt", func(r *rules) { r.TouchAttempt = false }, "late, pods", "R11 the stable Service moves while its pods have traffic", 41},
	{"5: Begin touches the stable Service", func(r *rules) { r.BeginStable = false }, "stop, next", "R4 stable scaled down", 45},
	{"5: a rollback touches the stable Service first", func(r *rules) { r.StableFirst = false }, "pods", "R11 the stable Service moves while its pods have traffic", 37},
	{"6: Begin clears old patches", func(r *rules) { r.BeginClears = false }, "plugin", "R5 promote goes to another revision than the caller saw", 48},
	{"6: Begin keeps the weight while stable is down", func(r *rules) { r.HoldBegin = false }, "stable dies, next", "R10 weight taken from ready pods and given to none", 31},
	{"7: SetWeight looks at the pods", func(r *rules) { r.ReadyCheck = false }, "pods", "R1 weight raised without looking at the pods", 21},
	{"7: SetWeight leaves the verdicts before", func(r *rules) { r.PassStays = false }, "unmeasured", "R6 rolled back for want of a verdict that it had", 31},
	{"8: a token is not registered over an abort", func(r *rules) { r.TokenVerb = false }, "verbs", "R8 promote and abort of one token are both told yes", 26},
	{"8: a second attempt keeps a decided promote", func(r *rules) { r.TokenKeeps = false }, "verbs", "R5 an accepted promote is overwritten", 26},
	{"8: of the same pause", func(r *rules) { r.TokenIndex = false }, "pauses", "R8 one promote ends two pauses", 26},
	{"9: PROMOTING before weight 100", func(r *rules) { r.PromotingFirst = false }, "verbs", "R5 abort accepted, yet promoted", 35},
	{"9: a verdict is conditional", func(r *rules) { r.MeasureCond = false }, "steps", "R6 rolled back for want of a verdict that it had", 40},
	{"11: forward moves the canary Service", func(r *rules) { r.ForwardCanary = false }, "revert", "R4 record HEALTHY, cluster not", 31},
	{"11: weight 0, then scale down", func(r *rules) { r.WeightFirst = false }, "late", "R1 scaled down under weight", 26},
	{"11: the rejected hash", func(r *rules) { r.Reject = false }, "stop", "R7 a rejected hash is started again", 19},
	{"11: the last write of the record is conditional", func(r *rules) { r.EndCond = false }, "revert", "R4 record ABORTED, cluster not", 24},
	{"11: a rollback keeps the weight while stable is down", func(r *rules) { r.HoldRollback = false }, "stable dies", "R10 weight taken from ready pods and given to none", 29},
	{"12: the condition of abort", func(r *rules) { r.AbortCond = false }, "verbs", "R5 abort accepted although promoting or promoted", 31},
	{"12: aborted is told at ABORTED", func(r *rules) { r.AckLate = false }, "retry", "R2 weight raised after the abort was acknowledged", 22},
	{"13: promote on condition PENDING", func(r *rules) { r.PromoteCond = false }, "verbs", "R8 promote and abort of one token are both told yes", 26},
	{"13: promote is bound to a token", func(r *rules) { r.TokenBind = false }, "swap", "R5 promote goes to another revision than the caller saw", 46},
	{"14: the tick sends again", func(r *rules) { r.TickResend = false }, "verbs", "R5 an accepted verb is never carried out", 27},
	{"14: a patch is cleared last", func(r *rules) { r.ClearLast = false }, "hand over and verbs", "R5 a plugin verb is lost", 22},
	{"14: the record, then LIST", func(r *rules) { r.RecordThenList = false }, "swap", "R7 an older revision is started over the wanted one", 13},
	{"14: the tick aborts on pods", func(r *rules) { r.TickPods = false }, "pods", "R1 weight stays on a canary without ready pods", 25},
	{"14: of the record's revision", func(r *rules) { r.TickOwn = false }, "pods, next", "R13 a revision is aborted for another one's pods", 29},
	{"15: the janitor on condition of the ended fence", func(r *rules) { r.JanitorCond = false }, "stop, next", "R3 the janitor takes the record from a live execution", 12},
	{"15: the janitor only for ended executions", func(r *rules) { r.EndedOnly = false }, "pods", "R3 the janitor takes the record from a live execution", 25},
	{"15: the janitor by tick too", func(r *rules) { r.TickJanitor = false }, "stop", "R4 RUNNING without a live execution on a live token", 11},
	{"15: not while stable is down", func(r *rules) { r.TickHolds = false }, "stable dies", "R9 the tick runs the janitor again and again", 31},
	{"16: a doubt has no duration", func(r *rules) { r.DoubtWaits = false }, "no data", "R6 the weight goes on without a fresh verdict", 26},
	{"16: no data is no verdict", func(r *rules) { r.DoubtPauses = false }, "no data", "R6 promoted without a fresh verdict", 35},
	{"16: the promote of a doubt is the verdict", func(r *rules) { r.DoubtPass = false }, "no data", "R5 an accepted promote is undone", 38},
	{"17: a hand-over takes a fence", func(r *rules) { r.HandOverFence = false }, "hand over and verbs", "R3 the janitor takes the record from a live execution", 21},
	{"17: only without a verb", func(r *rules) { r.HandOverVerb = false }, "hand over and verbs", "R5 an accepted abort is handed over", 20},
	{"17: the verdict goes along", func(r *rules) { r.HandOverPass = false }, "hand over, unmeasured", "R6 rolled back for want of a verdict that it had", 34},
	{"17: it goes on without a Begin", func(r *rules) { r.ResumeKeeps = false }, "hand over", "R6 the weight goes on without a fresh verdict", 38},
	{"18: held fields", func(r *rules) { r.Held = false }, "heal", "R12 sync or sweep puts git's value over a held field", 3},
	{"18: as long as there is a Rollout", func(r *rules) { r.HeldAlways = false }, "heal after", "R12 sync or sweep puts git's value over a held field", 3},
	{"18: not because of the record", func(r *rules) { r.HeldByRollout = false }, "lost record, heal", "R12 sync or sweep puts git's value over a held field", 4},
	{"18: the live value under its resourceVersion", func(r *rules) { r.ApplyCAS = false }, "heal", "R12 sync or sweep puts an old value over a held field", 14},
}

func TestARuleThatIsDroppedBreaksAProperty(t *testing.T) {
	t.Parallel()
	for _, mu := range mutations {
		t.Run(mu.dropped, func(t *testing.T) {
			t.Parallel()
			r := protocol()
			mu.drop(&r)
			res := explore(named(mu.scenario), r, *limit, mu.property)
			trace := res.found[mu.property]
			t.Logf("%d states, %.1f s", res.states, res.took.Seconds())
			if *story {
				t.Logf("%s\n\t%s", mu.property, strings.Join(trace, "\n\t"))
			}
			if len(trace) != mu.steps && (trace != nil || !res.cut) { // the race detector's limit is short of some
				t.Errorf("%q breaks after %d steps, want %d", mu.property, len(trace), mu.steps)
			}
		})
	}
}

// Rules that break nothing when they are dropped alone: README says why they stay.
var covered = []string{"NoStartPromoting", "PassNeeded", "JanitorForward", "JanitorFence"}

func TestEachRuleIsDroppedByAMutationOrCovered(t *testing.T) {
	t.Parallel()
	dropped := map[string]int{}
	whole := reflect.ValueOf(protocol())
	for i := range whole.NumField() {
		if !whole.Field(i).Bool() {
			t.Errorf("the protocol has no %s", whole.Type().Field(i).Name)
		}
	}
	for _, mu := range mutations {
		r := protocol()
		mu.drop(&r)
		for i := range whole.NumField() {
			if !reflect.ValueOf(r).Field(i).Bool() {
				dropped[whole.Type().Field(i).Name]++
			}
		}
	}
	for _, name := range covered {
		dropped[name]++
	}
	for i := range whole.NumField() {
		if name := whole.Type().Field(i).Name; dropped[name] != 1 {
			t.Errorf("%s is dropped %d times, want once", name, dropped[name])
		}
	}
}
