package rollout

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

var (
	seeds = flag.Int("seeds", 1000, "how many seeds TestNoFaultBreaksAnInvariant runs")
	seed  = flag.Int("seed", -1, "run this one only, and print what happens")
)

// A simulation is a world in which things go wrong at random: pods die, commits come and are taken back, people abort and
// promote by both ways, replicas change, tasks crash between two writes and are delivered twice.
type simulation struct {
	*world
	rand    *rand.Rand
	task    Task
	hash    string
	images  int
	faults  int
	holding int // looks that the weight has stayed on a canary that is being rolled back
}

func newSimulation(t *testing.T, n uint64) *simulation {
	r := rand.New(rand.NewPCG(n, 1))
	ro := withServices(canaryRollout(int32(1+r.IntN(7)), randomSteps(r)...), r.IntN(2) == 0)
	c := ro.Spec.Strategy.Canary
	if r.IntN(2) == 0 {
		surge, unavailable := intstr.FromInt32(int32(r.IntN(3))), intstr.FromInt32(int32(r.IntN(3)))
		c.MaxSurge, c.MaxUnavailable = &surge, &unavailable
	}
	if r.IntN(3) == 0 {
		c.Analysis = &v1alpha1.RolloutAnalysisBackground{RolloutAnalysis: *analysisStep().Analysis}
	}
	ro.Spec.ProgressDeadlineAbort = r.IntN(2) == 0
	if c.TrafficRouting == nil && r.IntN(4) == 0 {
		c.CanaryService, c.StableService = "", ""
	}
	return &simulation{world: newWorld(t, ro), rand: r, task: Begin, images: 1, faults: 25}
}

func randomSteps(r *rand.Rand) []v1alpha1.CanaryStep {
	var out []v1alpha1.CanaryStep
	for range r.IntN(6) {
		switch r.IntN(5) {
		case 0:
			out = append(out, pauseStep(0))
		case 1:
			out = append(out, pauseStep(30))
		case 2:
			out = append(out, analysisStep())
		default:
			out = append(out, weightStep(int32(r.IntN(101))))
		}
	}
	return out
}

func (s *simulation) say(format string, args ...any) { // a world is only printed when somebody looks
	if *seed >= 0 {
		s.t.Logf(format, args...)
	}
}

// start names a new execution in the record (rule 2).
func (s *simulation) start(verb Verb) {
	s.task, s.hash, s.stage, s.verb, s.why, s.tries, s.holding = Begin, "", Running, verb, "", 0, 0
}

// look is one attempt of the current task; crash cuts its writes short, and then it is tried again.
func (s *simulation) look(crash bool) {
	task := s.task
	if task == Promote && s.stage == Running {
		if s.verb == VerbAbort {
			s.task = Rollback
			return
		}
		s.stage = Promoting
	}
	in := s.in(task, s.hash)
	c, next, err := Decide(in)
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", task, err, s)
	}
	if c.Status != nil && c.Status.Abort && task == Rollback {
		s.stage = Aborting
	}
	n := 1000
	if crash {
		n = s.rand.IntN(5)
	}
	s.check(in, c)
	s.apply(c, n)
	s.checkAfter(in)
	s.say("%s %s crash %v -> %s after %v: %s | %s", s.now.Format(time.TimeOnly), task, crash, next.Task, next.After, next.Reason, s)
	s.measureAll(next)
	if crash {
		return
	}
	if s.tries++; next.Task != task {
		s.tries = 0
	}
	if next.Task == Rollback && task != Rollback {
		s.why = next.Reason
	}
	s.task, s.hash = next.Task, next.Hash
	if next.Task == Pause && next.After == 0 && !s.ro.Spec.Paused && s.rand.IntN(3) == 0 {
		s.verb, s.verbStep = VerbPromote, *s.ro.Status.CurrentStepIndex // a person answers the token
	}
	if next.Task != Rollback || next.After < 10*time.Second {
		next.After = min(next.After, 40*time.Second)
	}
	s.pass(max(next.After, time.Second))
}

// measureAll gives runs their verdicts, mostly good ones.
func (s *simulation) measureAll(next Next) {
	for _, m := range next.Measure {
		phase := v1alpha1.AnalysisPhaseSuccessful
		if m.Background {
			phase = v1alpha1.AnalysisPhaseRunning
		}
		if s.faults > 0 {
			switch s.rand.IntN(20) {
			case 0:
				phase = v1alpha1.AnalysisPhaseFailed
			case 1:
				phase = v1alpha1.AnalysisPhaseInconclusive
			case 2:
				phase = v1alpha1.AnalysisPhaseError
			}
		}
		for i := range s.runs {
			if s.runs[i].Name == m.Name {
				s.runs[i].Phase, phase = phase, ""
			}
		}
		if phase != "" {
			s.runs = append(s.runs, Run{Name: m.Name, Phase: phase})
		}
	}
}

// fault does one thing that nobody planned.
func (s *simulation) fault() {
	s.faults--
	kind := s.rand.IntN(11)
	s.say("fault %d", kind)
	switch kind {
	case 0, 1: // pods die and come again
		for _, list := range s.pods {
			for _, p := range list {
				if s.rand.IntN(3) == 0 {
					p.readyAt = s.now.Add(time.Duration(s.rand.IntN(30)) * time.Second)
				}
			}
		}
		s.pass(0)
	case 2: // a commit
		s.images++
		s.commit(fmt.Sprintf("web:%d", s.images))
		if s.rand.IntN(3) == 0 {
			s.broken[fmt.Sprintf("web:%d", s.images)] = true
		}
	case 3: // a revert
		s.commit(fmt.Sprintf("web:%d", 1+s.rand.IntN(s.images)))
	case 4, 5:
		replicas := int32(1 + s.rand.IntN(8))
		s.ro.Spec.Replicas = &replicas
		s.ro.Generation++
	case 6:
		if s.stage == Running {
			s.verb = VerbAbort
		}
	case 7: // the plugin
		s.ro.Status.Abort = s.stage == Running
	case 8:
		s.ro.Status.PauseConditions = nil
	case 9:
		s.ro.Status.PromoteFull = s.stage == Running && s.rand.IntN(2) == 0
	case 10:
		s.verified = false
	}
}

func (s *simulation) commit(image string) {
	s.ro.Spec.Template.Spec.Containers[0].Image = image
	s.ro.Generation++
}

func TestNoFaultBreaksAnInvariant(t *testing.T) {
	from, to := 0, *seeds
	if *seed >= 0 {
		from, to = *seed, *seed+1
	}
	ends := map[Task]int{}
	for n := from; n < to; n++ {
		s := newSimulation(t, uint64(n))
		s.live(ends)
		if t.Failed() {
			t.Fatalf("seed %d: -seed %[1]d prints it", n)
		}
	}
	if *seed < 0 && (ends[Succeeded] < to || ends[RolledBack] < to/10 || ends[Superseded] < to/10) {
		t.Errorf("the simulation is one-sided: %v", ends)
	}
}

// live goes on through all faults and then through a last commit that is good: that one must become stable (I1).
func (s *simulation) live(ends map[Task]int) {
	for looks := 0; looks < 3000 && !s.t.Failed(); looks++ {
		if s.faults > 0 && s.rand.IntN(4) == 0 {
			s.fault()
		}
		if s.faults == 0 {
			s.faults--
			s.broken, s.ro.Spec.Paused = map[string]bool{}, false
			s.images++
			s.commit(fmt.Sprintf("web:%d", s.images))
			s.say("the last commit, web:%d", s.images)
		}
		if !ended(Next{Task: s.task}) {
			s.look(s.faults > 0 && s.rand.IntN(6) == 0)
			continue
		}
		ends[s.task]++
		if s.faults < 0 && s.task == Succeeded && s.settled() {
			return
		}
		s.tick()
	}
	s.t.Errorf("did not come to rest: %s", s)
}

// tick starts what the sweep would find: another template, a retry, something that is not as it should be (rule 14).
func (s *simulation) tick() {
	current := s.ro.Status.CurrentPodHash
	hash, err := PodHash(&s.ro.Spec.Template, s.ro.Status.CollisionCount)
	if err != nil {
		s.t.Fatal(err)
	}
	switch {
	case hash != current, s.task == Superseded:
		s.start("")
	case s.task == RollbackFailed, s.ro.Status.Abort:
		if s.faults < 0 || s.rand.IntN(3) == 0 {
			s.start(VerbRetry)
			break
		}
		s.task, s.tries, s.hash, s.holding = Rollback, 0, "", 0 // the janitor
	default:
		s.start("")
	}
	s.pass(time.Second)
}

// settled reports whether the last commit is all that is left.
func (s *simulation) settled() bool {
	return s.ro.Status.Phase == v1alpha1.RolloutPhaseHealthy && s.ro.Status.StableRS == s.ro.Status.CurrentPodHash && s.weight == 0 &&
		s.ro.Spec.Template.Spec.Containers[0].Image == fmt.Sprintf("web:%d", s.images)
}
