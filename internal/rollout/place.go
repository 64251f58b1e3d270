package rollout

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
)

// place brings the numbers of pods towards a weight, and reports whether they are there: the canary's available, stable's
// created, and without a router no other revision serves.
func (d *decision) place(weight int32) bool {
	note(d.current, deadlineNote, "")
	note(d.stable, deadlineNote, "")
	if d.routed {
		return d.placeRouted(weight)
	}
	canary, stable := Split(d.replicas, weight, d.surge > 0)
	if service := d.canary.StableService; stable == 0 && service != "" && d.in.Services[service] == hashOf(d.stable) {
		if room := d.replicas + d.surge - 1; room > 0 { // I5: what a Service selects keeps a pod
			canary, stable = min(canary, room), 1
		}
	}
	d.roll(canary, stable)
	serving := int32(0)
	for _, rs := range d.others {
		serving += rs.Status.AvailableReplicas
	}
	return wanted(d.current) == canary && available(d.current) >= canary && wanted(d.stable) == stable && created(d.stable) >= stable && serving == 0
}

// roll is one pass of a rolling change.
func (d *decision) roll(canary, stable int32) {
	p := pods{replicas: d.replicas, surge: d.surge, unavailable: d.offline, current: d.current, others: d.others}
	if d.stable != d.current {
		p.stable = d.stable
	}
	nextCanary, nextStable, others := p.roll(canary, stable)
	d.scale(d.current, nextCanary)
	if p.stable != nil {
		d.scale(p.stable, nextStable)
	}
	for i, rs := range d.others {
		if others[i] < wanted(rs) && !d.selected(hashOf(rs)) {
			d.scale(rs, others[i])
		}
	}
}

// placeRouted has stable complete all the time, so that an abort needs no new pod, and the canary sized for its weight:
// for the higher one of what it has and what it gets (argo-rollouts rollout/canary.go scales by the persisted weight).
func (d *decision) placeRouted(weight int32) bool {
	canary := d.canaryPods(weight)
	n := canary
	if have := d.in.Weight; have > 0 {
		n = max(n, min(wanted(d.current), share(d.replicas, have, d.canary.MinPodsPerReplicaSet)), 1)
	}
	d.scale(d.current, n)
	d.scale(d.stable, d.replicas)
	for _, rs := range d.others {
		if !d.selected(hashOf(rs)) { // no traffic reaches what was superseded in the middle
			d.scale(rs, 0)
		}
	}
	return available(d.current) >= canary && created(d.stable) >= d.replicas
}

// canaryPods is how many a routed canary needs for a weight: its share, or what the last setCanaryScale says unless
// matchTrafficWeight has ended it.
func (d *decision) canaryPods(weight int32) int32 {
	if d.currentStep() == nil {
		return share(d.replicas, fullWeight, d.canary.MinPodsPerReplicaSet)
	}
	for i := d.index(); i >= 0; i-- {
		s := d.canary.Steps[i].SetCanaryScale
		switch {
		case s == nil:
			continue
		case s.Replicas != nil:
			return *s.Replicas
		case s.Weight != nil:
			return share(d.replicas, *s.Weight, d.canary.MinPodsPerReplicaSet)
		}
		break
	}
	return share(d.replicas, weight, d.canary.MinPodsPerReplicaSet)
}

// created is how many pods exist.
func created(rs *appsv1.ReplicaSet) int32 {
	if rs == nil {
		return 0
	}
	return rs.Status.Replicas
}

// retire takes a ReplicaSet's pods away once nothing has selected them for a while: endpoints take their time to leave
// every proxy. It returns how long until then, 0 when they are gone.
func (d *decision) retire(rs *appsv1.ReplicaSet, delay time.Duration) time.Duration {
	if wanted(rs) == 0 {
		note(rs, deadlineNote, "")
		return 0
	}
	if d.selected(hashOf(rs)) {
		note(rs, deadlineNote, "")
		return time.Second
	}
	if delay > 0 && rs.Annotations[deadlineNote] == "" {
		note(rs, deadlineNote, d.now.Add(delay).Format(time.RFC3339))
		return delay
	}
	if until, err := time.Parse(time.RFC3339, rs.Annotations[deadlineNote]); delay > 0 && err == nil && d.in.Now.Before(until) {
		return d.untilTime(until)
	}
	note(rs, deadlineNote, "")
	d.scale(rs, 0)
	return 0
}

// delayOf is a delay in seconds of the spec, 30 s where it says nothing (utils/defaults).
func delayOf(seconds *int32) time.Duration {
	if seconds == nil {
		return 30 * time.Second
	}
	return time.Duration(*seconds) * time.Second
}
