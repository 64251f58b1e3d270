package rollout

import (
	"fmt"
	"time"
)

// How often a rollback looks again before it says that it failed; with backoff that is about one and ten minutes. The
// tick goes on looking after that.
const (
	holdTries = 15
	backTries = 120
)

// serves reports whether the current revision can carry all of the traffic: as many pods as an update may leave.
func (d *decision) serves() bool {
	return available(d.current) >= max(d.replicas-d.offline, min(d.replicas, 1))
}

// first rolls out where there is no stable revision: no steps, no analysis. It becomes stable when it is available.
func (d *decision) first() Next {
	s := d.status
	s.Abort, s.AbortedAt, s.PromoteFull = false, nil, false // there is nothing to go back to
	if d.in.Task == Rollback {
		return Next{Task: RollbackFailed, Reason: "there is no stable revision to go back to"}
	}
	d.setStep(d.lastStep())
	if d.ro.Spec.Paused {
		return Next{Task: Pause, Reason: "manually paused"}
	}
	note(d.current, deadlineNote, "")
	d.roll(d.replicas, 0)
	if available(d.current) < d.replicas {
		return d.wait(Ready, d.missing())
	}
	s.StableRS = d.hash
	return Next{Task: ScaleDown, Reason: "the first revision is available"}
}

// promote makes the canary stable: all weight, then the stable Service, and only then is it called so (rule 10). A canary
// that does not serve is rolled back as long as the stable Service has not moved.
func (d *decision) promote() Next {
	ready := d.place(fullWeight)
	if d.moved() {
		return d.promoted()
	}
	if !d.serves() {
		d.why = d.missing()
		return Next{Task: Rollback, Reason: d.why}
	}
	if d.in.Task != Promote && d.in.Task != Rollback {
		return Next{Task: Promote}
	}
	if !d.routed && !ready {
		return d.wait(Promote, d.missing())
	}
	if d.routed && d.replicas > 0 && !d.weigh(fullWeight) {
		return d.wait(Promote, "the router has not taken weight 100 yet")
	}
	d.point(d.canary.StableService, d.hash)
	if d.routed {
		return Next{Task: Promote, Reason: "the stable Service selects the new revision"}
	}
	return d.promoted()
}

// promoted names the new stable revision; what is left is to take the old one down.
func (d *decision) promoted() Next {
	d.status.StableRS = d.hash
	d.status.PromoteFull = false
	d.setStep(d.lastStep())
	return Next{Task: ScaleDown, Reason: "promoted"}
}

// settle keeps a Rollout whose current revision is stable, also when its template went back to stable in the middle of a
// canary: the weight goes to the stable Service, the other revisions go after their delay.
func (d *decision) settle() Next {
	d.terminateRuns()
	d.status.PauseConditions, d.status.ControllerPause = nil, false
	d.setStep(d.lastStep())
	note(d.current, deadlineNote, "")
	if d.routed {
		d.scale(d.current, max(d.replicas, d.served()))
	} else {
		d.roll(d.replicas, 0)
	}
	if !d.serves() {
		return d.wait(Ready, d.missing())
	}
	d.point(d.canary.StableService, d.hash)
	if d.routed {
		if len(d.changes.Select) > 0 {
			return d.wait(ScaleDown, "the stable Service selects the stable revision")
		}
		if !d.weigh(0) {
			return d.wait(ScaleDown, "the weight goes to the stable Service")
		}
		d.scale(d.current, d.replicas)
	}
	d.point(d.canary.CanaryService, d.hash)
	left := d.retireOthers()
	switch {
	case available(d.current) < d.replicas:
		return d.wait(Ready, d.missing())
	case left > 0:
		return Next{Task: ScaleDown, After: left, Reason: "old pods are left until their traffic has ended"}
	}
	return Next{Task: Succeeded}
}

// served is how many pods the current revision keeps while it still has weight as a canary.
func (d *decision) served() int32 {
	if d.in.Weight == 0 {
		return 0
	}
	return wanted(d.current)
}

// retireOthers takes down all but the current revision and says how long until the next look, 0 when they are gone.
// Without a router roll does it.
func (d *decision) retireOthers() time.Duration {
	left := time.Duration(0)
	for i, rs := range d.others {
		var after time.Duration
		if !d.routed {
			if wanted(rs) > 0 || created(rs) > 0 {
				after = backoff(d.in.Tries)
			}
		} else {
			delay := delayOf(d.canary.ScaleDownDelaySeconds)
			if limit := d.canary.ScaleDownDelayRevisionLimit; limit != nil && i >= int(*limit) {
				delay = 0
			}
			after = d.retire(rs, delay)
		}
		if after > 0 && (left == 0 || after < left) {
			left = after
		}
	}
	return left
}

// back is the rollback: weight 0, the canary Service on stable, then the canary's pods (rule 11). It goes forward instead
// where the stable Service has moved already, or where promoting had begun and the canary serves.
func (d *decision) back() Next {
	if d.moved() || d.in.Stage == Promoting && d.serves() {
		next := d.promote()
		if next.Task == Promote {
			next.Task = Rollback
		}
		return next
	}
	s := d.status
	s.Abort, s.PromoteFull, s.PauseConditions, s.ControllerPause = true, false, nil, false
	if s.AbortedAt == nil {
		s.AbortedAt = &d.now
	}
	d.setStep(0)
	d.terminateRuns()
	note(d.stable, deadlineNote, "")
	if !d.routed {
		return d.backByPods()
	}
	d.scale(d.stable, d.replicas)
	if d.stays() {
		if d.in.Tries < holdTries {
			return d.wait(Rollback, d.staying())
		}
		return Next{Task: RollbackFailed, Reason: d.staying()}
	}
	if !d.weigh(0) {
		return d.wait(Rollback, "the weight goes to 0")
	}
	d.point(d.canary.CanaryService, hashOf(d.stable))
	for _, rs := range d.others {
		if !d.selected(hashOf(rs)) {
			d.scale(rs, 0)
		}
	}
	if delay := d.canary.AbortScaleDownDelaySeconds; delay != nil && *delay == 0 {
		return Next{Task: RolledBack, Reason: d.why} // 0 is to leave the pods for a look at them
	}
	if left := d.retire(d.current, delayOf(d.canary.AbortScaleDownDelaySeconds)); left > 0 {
		return Next{Task: Rollback, After: left, Reason: "the canary's pods are left until their traffic has ended"}
	}
	return Next{Task: RolledBack, Reason: d.why}
}

// backByPods is a rollback where pods are the weight: the rolling change runs backwards.
func (d *decision) backByPods() Next {
	d.point(d.canary.CanaryService, hashOf(d.stable))
	there := d.place(0)
	if there && wanted(d.current) == 0 {
		return Next{Task: RolledBack, Reason: d.why}
	}
	reason := fmt.Sprintf("%d of %d pods of stable %s are available", available(d.stable), d.replicas, d.stable.Name)
	if d.in.Tries >= backTries {
		return Next{Task: RollbackFailed, Reason: reason}
	}
	return d.wait(Rollback, reason)
}
