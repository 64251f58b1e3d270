package rollout

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"
)

// testdata/split.txt is what Argo Rollouts v1.9.1 answers: a line for each number of replicas without and with surge,
// canary/stable for the weights 0 to 100.
func TestPodsAreSplitAsArgoSplitsThemButNeverWithoutACanary(t *testing.T) {
	table, err := os.ReadFile("testdata/split.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases, deviations := 0, map[string]string{}
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		var replicas, surge int32
		if _, err := fmt.Sscan(fields[0]+" "+fields[1], &replicas, &surge); err != nil {
			t.Fatal(err)
		}
		for weight, want := range fields[2:] {
			cases++
			canary, stable := Split(replicas, int32(weight), surge > 0)
			got := fmt.Sprintf("%d/%d", canary, stable)
			if got == want {
				continue
			}
			if !strings.HasPrefix(want, "0/") || surge > 0 || replicas == 1 || canary != replicas-1 || stable != 1 {
				t.Errorf("%d replicas, %d%%, surge %d: %s, Argo %s", replicas, weight, surge, got, want)
			}
			deviations[fmt.Sprintf("%d replicas at %d%%", replicas, weight)] = want
		}
	}
	if cases != 2*20*101 {
		t.Errorf("%d cases", cases)
	}
	for _, known := range []string{"2 replicas at 75%", "5 replicas at 90%", "10 replicas at 95%"} {
		if _, ok := deviations[known]; !ok {
			t.Errorf("%s is no deviation any more", known)
		}
	}
}

func TestASplitKeepsToItsBounds(t *testing.T) {
	for replicas := int32(0); replicas <= 200; replicas++ {
		for _, surge := range []bool{false, true} {
			before := int32(0)
			for weight := int32(0); weight <= 100; weight++ {
				canary, stable := Split(replicas, weight, surge)
				name := fmt.Sprintf("%d replicas, %d%%, surge %v: %d/%d", replicas, weight, surge, canary, stable)
				if canary < before {
					t.Errorf("%s: fewer canary pods than for less weight (%d)", name, before)
				}
				before = canary
				if canary < 0 || stable < 0 {
					t.Errorf("%s: negative", name)
				}
				if total := canary + stable; total != replicas && (!surge || total != replicas+1) {
					t.Errorf("%s: %d pods", name, total)
				}
				if between := weight > 0 && weight < 100; between && replicas > 0 && (canary == 0 || stable == 0) && (replicas > 1 || surge) {
					t.Errorf("%s: one side is empty", name)
				}
			}
		}
	}
}

// The table of the reference: canary/stable with surge.
func TestTheTableOfWeightsHolds(t *testing.T) {
	weights := []int32{5, 10, 25, 30, 50, 60, 75, 95}
	for replicas, row := range map[int32]string{
		1:  "1/1 1/1 1/1 1/1 1/1 1/1 1/1 1/1",
		2:  "1/2 1/2 1/2 1/2 1/1 2/1 2/1 2/1",
		3:  "1/3 1/3 1/3 1/2 2/2 2/1 3/1 3/1",
		5:  "1/5 1/5 1/4 2/4 3/3 3/2 4/1 5/1",
		10: "1/10 1/9 3/8 3/7 5/5 6/4 8/3 10/1",
	} {
		for i, want := range strings.Fields(row) {
			canary, stable := Split(replicas, weights[i], true)
			if got := fmt.Sprintf("%d/%d", canary, stable); got != want {
				t.Errorf("%d replicas at %d%%: %s, not %s", replicas, weights[i], got, want)
			}
		}
	}
}

func TestSurgeIsRoundedUpAndUnavailableDown(t *testing.T) {
	number := func(n int) *intstr.IntOrString { v := intstr.FromInt32(int32(n)); return &v }
	text := func(s string) *intstr.IntOrString { v := intstr.FromString(s); return &v }
	for _, c := range []struct {
		name                  string
		replicas              int32
		surge, unavailable    *intstr.IntOrString
		wantSurge, wantUnavil int32
	}{
		{"the defaults of ten", 10, nil, nil, 3, 2},
		{"the defaults of one", 1, nil, nil, 1, 0},
		{"the defaults of three", 3, nil, nil, 1, 0},
		{"the defaults of four", 4, nil, nil, 1, 1},
		{"numbers", 10, number(2), number(3), 2, 3},
		{"both zero", 10, number(0), number(0), 0, 1},
		{"both zero in percent", 10, text("0%"), text("0%"), 0, 1},
		{"surge zero, unavailable rounds to zero", 3, number(0), text("30%"), 0, 1},
		{"percentages", 10, text("15%"), text("15%"), 2, 1},
		{"all of them", 7, text("100%"), text("100%"), 7, 7},
		{"more unavailable than there are", 2, number(0), number(5), 0, 2},
		{"no replicas", 0, nil, nil, 0, 0},
	} {
		ro := canaryRollout(c.replicas)
		ro.Spec.Strategy.Canary.MaxSurge, ro.Spec.Strategy.Canary.MaxUnavailable = c.surge, c.unavailable
		surge, unavailable := limits(ro)
		if surge != c.wantSurge || unavailable != c.wantUnavil {
			t.Errorf("%s: surge %d, unavailable %d; want %d and %d", c.name, surge, unavailable, c.wantSurge, c.wantUnavil)
		}
	}
}

func TestARoutedCanaryHasAShareRoundedUp(t *testing.T) {
	three := int32(3)
	for _, c := range []struct {
		replicas, weight int32
		least            *int32
		want             int32
	}{
		{5, 0, nil, 0}, {5, 1, nil, 1}, {5, 10, nil, 1}, {5, 20, nil, 1}, {5, 21, nil, 2}, {5, 30, nil, 2}, {5, 60, nil, 3},
		{5, 99, nil, 5}, {5, 100, nil, 5}, {1, 1, nil, 1}, {10, 33, nil, 4}, {0, 50, nil, 0}, {3, 50, nil, 2}, {7, 14, nil, 1},
		{5, 0, &three, 0}, {5, 10, &three, 3}, {5, 60, &three, 3}, {5, 80, &three, 4}, {1, 100, &three, 3},
	} {
		if got := share(c.replicas, c.weight, c.least); got != c.want {
			t.Errorf("%d%% of %d: %d pods, want %d", c.weight, c.replicas, got, c.want)
		}
	}
}
