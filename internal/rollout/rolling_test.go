package rollout

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
)

func setOf(wants, serves int32) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{Spec: appsv1.ReplicaSetSpec{Replicas: &wants}, Status: appsv1.ReplicaSetStatus{Replicas: wants, AvailableReplicas: serves}}
}

// What one pass makes of canary, stable and the revisions between, each as pods wanted and pods that serve. The first ones
// are the examples that argo-rollouts gives (utils/replicaset/canary.go).
func TestOnePassOfARollingChange(t *testing.T) {
	for _, c := range []struct {
		name                                    string
		replicas, weight, surge, unavailable    int32
		canary, canaryServes, stable, stableRun int32
		old, oldServes                          int32
		want                                    string // canary/stable/old
	}{
		{"begin, one may be missing", 10, 10, 1, 1, 0, 0, 10, 10, 0, 0, "1/9/0"},
		{"begin, only surge", 10, 30, 3, 0, 0, 0, 10, 10, 0, 0, "3/10/0"},
		{"begin, only unavailable", 10, 30, 0, 5, 0, 0, 10, 10, 0, 0, "0/7/0"},
		{"then the canary comes", 10, 30, 0, 5, 0, 0, 7, 7, 0, 0, "3/7/0"},
		{"five percent of ten", 10, 5, 1, 1, 0, 0, 10, 10, 0, 0, "1/10/0"},
		{"five percent of one", 1, 5, 1, 0, 0, 0, 1, 1, 0, 0, "1/1/0"},
		{"ninety-five percent of one", 1, 95, 1, 0, 0, 0, 1, 1, 0, 0, "1/1/0"},
		{"all of one, not there yet", 1, 100, 1, 0, 1, 0, 1, 1, 0, 0, "1/1/0"},
		{"all of one, there", 1, 100, 1, 0, 1, 1, 1, 1, 0, 0, "1/0/0"},
		{"surge limits the step", 10, 50, 2, 0, 0, 0, 10, 10, 0, 0, "2/10/0"},
		{"stable goes as the canary serves", 10, 50, 2, 0, 2, 2, 10, 10, 0, 0, "2/8/0"},
		{"stable stays while it does not", 10, 50, 2, 0, 2, 0, 10, 10, 0, 0, "2/10/0"},
		{"one of two serves", 10, 50, 2, 0, 2, 1, 10, 10, 0, 0, "2/9/0"},
		{"room that stable left", 10, 50, 2, 0, 2, 2, 8, 8, 0, 0, "4/8/0"},
		{"at the weight", 10, 50, 2, 0, 5, 5, 5, 5, 0, 0, "5/5/0"},
		{"on to all", 10, 100, 3, 2, 5, 5, 5, 5, 0, 0, "8/3/0"},
		{"the end", 10, 100, 3, 2, 10, 10, 3, 3, 0, 0, "10/0/0"},
		{"abort: stable first", 10, 0, 3, 2, 6, 6, 4, 4, 0, 0, "4/7/0"},
		{"abort: the canary goes as stable serves", 10, 0, 3, 2, 6, 6, 7, 7, 0, 0, "1/7/0"},
		{"abort: the last of it", 10, 0, 3, 2, 1, 1, 9, 9, 0, 0, "0/10/0"},
		{"abort: a canary that crashes goes at once", 10, 0, 3, 2, 6, 0, 8, 8, 0, 0, "0/8/0"},
		{"abort: but not before stable serves", 10, 0, 3, 2, 6, 6, 7, 2, 0, 0, "6/7/0"},
		{"a stable that crashes does not stop the canary", 10, 50, 0, 1, 0, 0, 10, 0, 0, 0, "0/9/0"},
		{"a revision between goes first", 10, 50, 3, 0, 0, 0, 7, 7, 3, 3, "3/7/3"},
		{"when something else serves", 10, 50, 3, 0, 3, 3, 7, 7, 3, 3, "3/7/0"},
		{"a crashing one goes at once", 10, 50, 3, 0, 0, 0, 7, 7, 3, 0, "3/7/0"},
		{"nothing shrinks before it has gone", 10, 50, 3, 2, 5, 5, 7, 7, 1, 0, "5/7/0"},
		{"fewer replicas: both shrink", 5, 50, 1, 1, 5, 5, 5, 5, 0, 0, "3/3/0"},
		{"more replicas", 10, 50, 0, 1, 3, 3, 3, 3, 0, 0, "5/5/0"},
		{"no replicas", 0, 50, 0, 0, 3, 3, 3, 3, 0, 0, "0/0/0"},
		{"one without surge waits for the weight", 1, 10, 0, 1, 0, 0, 1, 1, 0, 0, "0/1/0"},
		{"and then is the other's", 1, 50, 0, 1, 0, 0, 1, 1, 0, 0, "0/0/0"},
		{"at last", 1, 50, 0, 1, 0, 0, 0, 0, 0, 0, "1/0/0"},
		{"two without surge at 75%", 2, 75, 0, 1, 0, 0, 2, 2, 0, 0, "0/1/0"},
		{"the canary that Argo never makes", 2, 75, 0, 1, 0, 0, 1, 1, 0, 0, "1/1/0"},
		{"five without surge at 90%", 5, 90, 0, 5, 0, 0, 1, 1, 0, 0, "4/1/0"},
	} {
		p := pods{replicas: c.replicas, surge: c.surge, unavailable: min(c.unavailable, c.replicas), current: setOf(c.canary, c.canaryServes), stable: setOf(c.stable, c.stableRun)}
		if c.old > 0 {
			p.others = append(p.others, setOf(c.old, c.oldServes))
		}
		canary, stable := Split(c.replicas, c.weight, c.surge > 0)
		nextCanary, nextStable, others := p.roll(canary, stable)
		old := int32(0)
		for _, n := range others {
			old += n
		}
		if got := fmt.Sprintf("%d/%d/%d", nextCanary, nextStable, old); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Every weight of every number of replicas with every surge is reached from nothing and from everything, and on the way
// there are never too many pods nor too few that serve.
func TestEveryWeightIsReachedWithinTheLimits(t *testing.T) {
	reached := 0
	for replicas := int32(1); replicas <= 20; replicas++ {
		for _, limit := range [][2]int32{{0, 1}, {1, 0}, {1, 1}, {3, 0}, {0, 3}, {replicas, 0}, {0, replicas}} {
			for weight := int32(0); weight <= 100; weight++ {
				for _, from := range [][2]int32{{0, replicas}, {replicas, 0}} {
					reached++
					p := pods{replicas: replicas, surge: limit[0], unavailable: min(limit[1], replicas), current: setOf(from[0], from[0]), stable: setOf(from[1], from[1])}
					reach(t, p, weight)
				}
			}
		}
	}
	t.Logf("%d ways", reached)
}

func reach(t *testing.T, p pods, weight int32) {
	t.Helper()
	canary, stable := Split(p.replicas, weight, p.surge > 0)
	name := fmt.Sprintf("%d replicas, surge %d, unavailable %d, from %d/%d to %d%% = %d/%d", p.replicas, p.surge, p.unavailable, wanted(p.current), wanted(p.stable), weight, canary, stable)
	for range 4 * p.replicas * 2 {
		a, b, _ := p.roll(canary, stable)
		serves := min(available(p.current), a) + min(available(p.stable), b)
		if a+b > p.replicas+p.surge {
			t.Fatalf("%s: %d/%d are too many", name, a, b)
		}
		if serves < p.replicas-p.unavailable {
			t.Fatalf("%s: of %d/%d only %d serve", name, a, b, serves)
		}
		if a == wanted(p.current) && b == wanted(p.stable) {
			break
		}
		p.current, p.stable = setOf(a, a), setOf(b, b) // all pods get ready
	}
	if wanted(p.current) != canary || wanted(p.stable) != stable {
		t.Fatalf("%s: stays at %d/%d", name, wanted(p.current), wanted(p.stable))
	}
}
