package rollout

import (
	"reflect"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
)

// check holds what a decision must never write, on the cluster that it was decided on.
func (s *simulation) check(in In, c Changes) {
	s.t.Helper()
	after := map[string]string{}
	for service, hash := range in.Services {
		after[service] = hash
	}
	for _, sel := range c.Select {
		after[sel.Service] = sel.Hash
	}
	weight := in.Weight
	if c.Weight != nil {
		weight = *c.Weight
		if weight < 0 || weight > 100 {
			s.t.Errorf("I2: weight %d", weight)
		}
		if weight > in.Weight {
			if available(withHash(in.ReplicaSets, after["web-canary"])) == 0 {
				s.t.Errorf("I3: %s gives weight %d to no pods: %s", in.Task, weight, s)
			}
			if in.Task != SetWeight && in.Task != Promote && in.Task != Rollback {
				s.t.Errorf("rule 7: %s raises the weight", in.Task)
			}
		}
	}
	serving := func(service string) int32 { return available(withHash(in.ReplicaSets, in.Services[service])) }
	if weight < in.Weight && Replicas(in.Rollout) > 0 && in.Services["web-stable"] != "" && serving("web-stable") == 0 && serving("web-canary") > 0 {
		s.t.Errorf("R10: %s takes the weight from pods that serve and gives it to none: %s", in.Task, s)
	}
	before := map[string]*appsv1.ReplicaSet{}
	for _, rs := range in.ReplicaSets {
		before[rs.Name] = rs
	}
	surge, _ := limits(in.Rollout)
	for _, rs := range c.Update {
		old := before[rs.Name]
		if wanted(rs) >= wanted(old) {
			continue
		}
		if in.Rollout.Spec.Strategy.Canary.TrafficRouting == nil && Replicas(in.Rollout) == 1 && surge == 0 {
			continue // one pod and no room for a second: it is the one revision's or the other's
		}
		switch hashOf(rs) {
		case after["web-stable"]:
			if in.Rollout.Spec.Strategy.Canary.TrafficRouting != nil && wanted(rs) < Replicas(in.Rollout) || wanted(rs) == 0 {
				s.t.Errorf("I5: %s takes what the stable Service selects to %d: %s", in.Task, wanted(rs), s)
			}
		case after["web-canary"]:
			if weight > 0 && wanted(rs) < share(Replicas(in.Rollout), min(weight, in.Weight), nil) || in.Weight > 0 && wanted(rs) == 0 {
				s.t.Errorf("I5: %s takes the canary to %d under weight %d: %s", in.Task, wanted(rs), weight, s)
			}
		}
	}
	for _, rs := range c.Delete {
		if wanted(rs) > 0 || hashOf(rs) == after["web-stable"] || hashOf(rs) == after["web-canary"] {
			s.t.Errorf("I5: deletes %s", rs.Name)
		}
	}
	s.checkPods(in, c, before)
}

// checkPods holds I4: what serves is never taken below replicas - maxUnavailable, and no more pods are made than maxSurge
// allows, where pods are the weight.
func (s *simulation) checkPods(in In, c Changes, before map[string]*appsv1.ReplicaSet) {
	s.t.Helper()
	if in.Rollout.Spec.Strategy.Canary.TrafficRouting != nil {
		return // stable is complete all the time: check has seen to it
	}
	total, serves := int32(0), int32(0)
	for _, rs := range in.ReplicaSets {
		total += wanted(rs)
		serves += available(rs)
	}
	now, left := total, serves
	for _, rs := range c.Update {
		old := before[rs.Name]
		now += wanted(rs) - wanted(old)
		left += min(old.Status.AvailableReplicas, wanted(rs)) - available(old)
	}
	for _, rs := range c.Create {
		now += wanted(rs)
	}
	surge, unavailable := limits(in.Rollout)
	if least := Replicas(in.Rollout) - unavailable; left < min(serves, least) {
		s.t.Errorf("I4: %s leaves %d of %d serving pods, fewer than %d: %s", in.Task, left, serves, least, s)
	}
	if most := Replicas(in.Rollout) + surge; now > max(total, most) {
		s.t.Errorf("surge: %s makes %d pods of %d, more than %d: %s", in.Task, now, total, most, s)
	}
}

// checkAfter holds I6: a rollback takes the weight away at once, but for a stable that serves nothing.
func (s *simulation) checkAfter(in In) {
	s.t.Helper()
	if s.stage != Aborting || s.weight == 0 || available(withHash(in.ReplicaSets, in.Services["web-stable"])) == 0 {
		s.holding = 0
		return
	}
	if s.holding++; s.holding > 8 {
		s.t.Errorf("I6: weight %d after %d looks of a rollback: %s", s.weight, s.holding, s)
	}
}

// Nothing that a task does again may count twice (I8): deciding on what was decided comes to rest.
func TestATaskDoneAgainComesToRest(t *testing.T) {
	for n := range 50 {
		s := newSimulation(t, uint64(n))
		for range 60 {
			if ended(Next{Task: s.task}) {
				s.images++
				s.commit("web:2")
				s.start("")
			}
			s.look(false)
			for tries := 0; ; tries++ {
				c, _, err := Decide(s.in(s.task, s.hash))
				if err != nil {
					t.Fatal(err)
				}
				if reflect.DeepEqual(c, Changes{}) {
					break
				}
				if tries == 10 {
					t.Fatalf("seed %d: %s never comes to rest: %+v", n, s.task, c)
				}
				s.apply(c, 1000)
			}
		}
	}
}
