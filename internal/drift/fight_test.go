package drift

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/app"
	"slipway/internal/manifest"
	"slipway/test/server"
)

func cm(name string) manifest.ID {
	return manifest.ID{Kind: "ConfigMap", Namespace: "shop", Name: name}
}

func newMemory(t *testing.T) (*world, *server.Server) {
	t.Helper()
	s := server.New()
	w := newWorld(t, "shop", s, s)
	w.selfHeal()
	return w, s
}

func set(key, v string) func(map[string]any) {
	return func(o map[string]any) { put(o, steps{"data", key}, v) }
}

func data(s *server.Server, name, key string) string {
	u := s.Live(cm(name))
	if u == nil {
		return "gone"
	}
	v, _ := value(u.Object, steps{"data", key}).(string)
	return v
}

// every sweeps once a second for so long, with what comes before each sweep, and answers when something was healed.
func (w *world) every(seconds int, before func(second int)) (healed []string) {
	start := time.Now()
	for i := range seconds {
		before(i)
		for _, f := range w.sweep().Findings {
			if f.Healed {
				for _, x := range f.Fields {
					if x.Wait.IsZero() && x.Fight == "" {
						healed = append(healed, fmt.Sprintf("%d s %s", int(time.Since(start).Seconds()), x.Path))
					}
				}
			}
		}
		time.Sleep(time.Second)
	}
	return healed
}

// Heals of one field come at once, then after 2, 6, 18 and 54 s, each from the last; the fifth in ten minutes is the last
// (security H2, H3).
func TestALoopThatEditsEverySecondIsHealedBySchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := newMemory(t)
		w.sync(configMap("a", "k: v1", "j: v1") + configMap("b", "k: v1"))
		got := w.every(700, func(i int) {
			s.Edit(cm("a"), "loop", set("k", fmt.Sprint("loop ", i)))
			if i%100 == 0 {
				w.restart() // the schedule survives the process
			}
		})
		if d := cmp.Diff([]string{"0 s .data.k", "2 s .data.k", "8 s .data.k", "26 s .data.k", "80 s .data.k"}, got); d != "" {
			t.Error(d)
		}
		fs := w.known().Findings
		if len(fs) != 1 || fs[0].Fight != "loop" || fs[0].Outcome != Drifted || fs[0].Fields[0].Fight != "loop" {
			t.Errorf("the fight is not named: %+v", fs)
		}
	})
}

func TestAFieldThatWaitsKeepsNoOtherWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := newMemory(t)
		w.sync(configMap("a", "k: v1", "j: v1", "i: v1") + configMap("b", "k: v1"))
		got := w.every(120, func(i int) {
			s.Edit(cm("a"), "loop", set("k", fmt.Sprint("loop ", i)))
			switch i {
			case 5:
				s.Edit(cm("a"), "person", set("j", "x"))
			case 50:
				s.Edit(cm("a"), "person", set("i", "x"))
				s.Edit(cm("b"), "person", set("k", "x"))
			case 100: // a fight by now
				s.Edit(cm("a"), "person", set("i", "x"))
			}
		})
		want := []string{"0 s .data.k", "2 s .data.k", "5 s .data.j", "8 s .data.k", "26 s .data.k", "50 s .data.i", "50 s .data.k", "80 s .data.k", "100 s .data.i"}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if got := data(s, "a", "k"); got != "loop 119" {
			t.Errorf("the field that is fought over is %q", got)
		}
		for _, c := range [][3]string{{"a", "j", "v1"}, {"a", "i", "v1"}, {"b", "k", "v1"}} {
			if got := data(s, c[0], c[1]); got != c[2] {
				t.Errorf("%s of %s is %q", c[1], c[0], got)
			}
		}
	})
}

func TestRepeatsThatAreFarApartReachTheLongestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory{}
		start := time.Now()
		var at []int
		for range 9 {
			next, fight := m.next("f", time.Now())
			if fight {
				t.Fatal("a fight")
			}
			time.Sleep(max(0, time.Until(next)))
			at = append(at, int(time.Since(start).Seconds()))
			m.note("f", "somebody", time.Now())
			time.Sleep(3 * time.Minute)
			m.saw("f", time.Now())
		}
		if d := cmp.Diff([]int{0, 180, 360, 540, 720, 900, 1200, 1500, 1800}, at); d != "" {
			t.Error(d)
		}
	})
}

func TestAFightIsForgottenAfterAQuietTimeOrByACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := newMemory(t)
		w.sync(configMap("a", "k: v1"))
		fight := func() []string {
			return w.every(90, func(i int) { s.Edit(cm("a"), "loop", set("k", fmt.Sprint("loop ", i))) })
		}
		schedule := []string{"0 s .data.k", "2 s .data.k", "8 s .data.k", "26 s .data.k", "80 s .data.k"}
		if d := cmp.Diff(schedule, fight()); d != "" {
			t.Fatal(d)
		}
		for range 60 { // the edit stays: no quiet time
			time.Sleep(time.Minute)
			if rep := w.sweep(); rep.Healed > 0 {
				t.Fatal("healed in a fight")
			}
		}
		w.sync(configMap("a", "k: v2"))
		if d := cmp.Diff(schedule, fight()); d != "" {
			t.Error("after a commit:", d)
		}
		s.Edit(cm("a"), "person", set("k", "v2"))
		w.sweep()
		time.Sleep(forget + time.Second)
		w.sweep()
		if st := w.known(); len(st.Heals) > 0 || len(st.Findings) > 0 {
			t.Errorf("after a quiet time there is left: %+v", st)
		}
		if d := cmp.Diff(schedule, fight()); d != "" {
			t.Error("after a quiet time:", d)
		}
	})
}

// Argo CD's heals of one application share one backoff (argo-cd appcontroller.go selfHealBackoff): here a fight in one
// object delays no other one.
func TestAFightDelaysNoOtherApplication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := newMemory(t)
		w.sync(configMap("a", "k: v1"))
		other := newWorld(t, "other", s, s)
		other.stores, other.commits = w.stores, 100
		other.restart()
		other.selfHeal()
		other.sync(configMap("b", "k: v1"))
		id := manifest.ID{Kind: "ConfigMap", Namespace: "other", Name: "b"}
		for i := range 100 {
			s.Edit(cm("a"), "loop", set("k", fmt.Sprint("loop ", i)))
			if i == 90 {
				s.Edit(id, "person", set("k", "x"))
			}
			rep := w.sweep()
			healed := slices.ContainsFunc(rep.Findings, func(f Located) bool { return f.Healed && app.Name(f.Application) == other.app.Key() })
			if healed != (i == 90) {
				t.Fatalf("second %d: %+v", i, rep.Findings)
			}
			time.Sleep(time.Second)
		}
	})
}
