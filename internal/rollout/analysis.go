package rollout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

// inline is an analysis step: it asks for a run and goes by what the run says.
func (d *decision) inline(a *v1alpha1.RolloutAnalysis) (Next, bool) {
	run := d.run(&d.status.Canary.CurrentStepAnalysisRunStatus, d.stepRun())
	switch run.Status {
	case v1alpha1.AnalysisPhaseSuccessful:
		return Next{}, true
	case v1alpha1.AnalysisPhaseFailed, v1alpha1.AnalysisPhaseError:
		return d.failed(run), false
	case v1alpha1.AnalysisPhaseInconclusive:
		return d.doubt(), false
	case v1alpha1.AnalysisPhasePending, v1alpha1.AnalysisPhaseRunning:
	}
	d.measure = append(d.measure, Measurement{Name: run.Name, Step: d.index(), Analysis: a})
	return Next{Task: Analyze, Reason: "analysis " + run.Name}, false
}

// forget drops the run of another step: kubectl argo rollouts promote moves the index alone.
func (d *decision) forget() {
	s := &d.status.Canary.CurrentStepAnalysisRunStatus
	if *s == nil {
		return
	}
	if of := d.stepRun(); (*s).Name == of || strings.HasPrefix((*s).Name, of+".") {
		return
	}
	if run := d.find((*s).Name); run != nil && !run.Phase.Completed() {
		d.changes.Terminate = append(d.changes.Terminate, run.Name)
	}
	*s = nil
}

// stepRun is the name of the current step's run.
func (d *decision) stepRun() string { return fmt.Sprintf("%s-%d", d.runName(), d.index()) }

// background is the analysis beside the steps. It begins at its step, once the canary has traffic; Argo begins when the
// ReplicaSet exists, and measures nothing then.
func (d *decision) background(ready bool) (Next, bool) {
	b := d.canary.Analysis
	if b == nil || d.status.PromoteFull || d.currentStep() == nil {
		return Next{}, true
	}
	status := &d.status.Canary.CurrentBackgroundAnalysisRunStatus
	if *status == nil {
		if b.StartingStep != nil && d.index() < *b.StartingStep {
			return Next{}, true
		}
		if d.routed && (d.in.Weight == 0 || !d.in.Verified) || !d.routed && (!ready || wanted(d.current) == 0) {
			return Next{}, true
		}
	}
	if known := *status; known != nil && known.Status == v1alpha1.AnalysisPhaseInconclusive && !d.has(v1alpha1.PauseReasonInconclusiveAnalysis) {
		*status = nil // somebody went on after the doubt: measure anew
	}
	run := d.run(status, d.runName())
	switch run.Status {
	case v1alpha1.AnalysisPhaseFailed, v1alpha1.AnalysisPhaseError:
		return d.failed(run), false
	case v1alpha1.AnalysisPhaseInconclusive:
		return d.doubt(), false
	case v1alpha1.AnalysisPhaseSuccessful:
		return Next{}, true
	case v1alpha1.AnalysisPhasePending, v1alpha1.AnalysisPhaseRunning:
	}
	d.measure = append(d.measure, Measurement{Name: run.Name, Background: true, Analysis: &b.RolloutAnalysis})
	return Next{}, true
}

// inconclusive keeps the pause that a run without a verdict has made until somebody promotes.
func (d *decision) inconclusive() (Next, bool) {
	if !d.has(v1alpha1.PauseReasonInconclusiveAnalysis) || d.promotes() {
		return Next{}, true
	}
	return d.doubt(), false
}

// doubt pauses: there is evidence neither for nor against.
func (d *decision) doubt() Next {
	if !d.has(v1alpha1.PauseReasonInconclusiveAnalysis) {
		d.status.PauseConditions = append(d.status.PauseConditions, v1alpha1.PauseCondition{Reason: v1alpha1.PauseReasonInconclusiveAnalysis, StartTime: d.now})
		d.status.ControllerPause = true
	}
	return Next{Task: Pause, Reason: "the analysis is inconclusive"}
}

func (d *decision) failed(run *v1alpha1.RolloutAnalysisRunStatus) Next {
	d.why = fmt.Sprintf("analysis %s: %s", run.Name, run.Status)
	if run.Message != "" {
		d.why += ": " + run.Message
	}
	return Next{Task: Rollback, Reason: d.why}
}

// has reports whether the rollout is paused for a reason.
func (d *decision) has(reason v1alpha1.PauseReason) bool {
	return slices.ContainsFunc(d.status.PauseConditions, func(c v1alpha1.PauseCondition) bool { return c.Reason == reason })
}

// runName is what the AnalysisRuns of this revision begin with: rollout, hash, revision.
func (d *decision) runName() string {
	return fmt.Sprintf("%s-%s-%d", d.ro.Name, d.hash, revisionOf(d.current))
}

// run is the state of a current run as its AnalysisRun has it now. Where there is none yet, it names one: name, or
// name.1 and so on where that is taken by a run of an earlier try.
func (d *decision) run(status **v1alpha1.RolloutAnalysisRunStatus, name string) *v1alpha1.RolloutAnalysisRunStatus {
	if *status == nil {
		free := name
		for i := 1; d.find(free) != nil; i++ {
			free = fmt.Sprintf("%s.%d", name, i)
		}
		*status = &v1alpha1.RolloutAnalysisRunStatus{Name: free, Status: v1alpha1.AnalysisPhasePending}
		return *status
	}
	if run := d.find((*status).Name); run != nil {
		(*status).Status, (*status).Message = run.Phase, run.Message
		if run.Phase == "" {
			(*status).Status = v1alpha1.AnalysisPhasePending
		}
	}
	return *status
}

func (d *decision) find(name string) *Run {
	for i := range d.in.Runs {
		if d.in.Runs[i].Name == name {
			return &d.in.Runs[i]
		}
	}
	return nil
}

// terminateRuns ends what still measures. The status keeps their names, for people to read.
func (d *decision) terminateRuns() {
	for _, s := range []*v1alpha1.RolloutAnalysisRunStatus{d.status.Canary.CurrentStepAnalysisRunStatus, d.status.Canary.CurrentBackgroundAnalysisRunStatus} {
		if s == nil {
			continue
		}
		if run := d.find(s.Name); run != nil {
			s.Status, s.Message = run.Phase, run.Message
			if !run.Phase.Completed() {
				d.changes.Terminate = append(d.changes.Terminate, s.Name)
			}
		}
	}
}
