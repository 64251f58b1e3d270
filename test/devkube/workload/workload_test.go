package workload

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// The tutorial's canary without a router: two Services, each told apart by the template's hash, five pods and one.
func TestWithoutARouteAnApplicationsPodsShareEvenly(t *testing.T) {
	w := newWorld(t)
	w.service("web", "app=web", "")
	w.service("web-stable", "app=web hash=a", "")
	w.service("web-canary", "app=web hash=b", "")
	w.deploy(4, "app=web hash=a", "v1")
	w.deploy(1, "app=web hash=b", "v2-bad20")
	w.run(20)
	w.expect(map[string]int{
		"job=web": 1000, "service=web-stable": 800, "service=web-canary": 200, "service=web": 0,
		"version=v1 status=500": 0, "version=v2-bad20 status=500": 40, "pod=v1-2 status=200": 200, "namespace=shop": 1000,
	})
}

func TestARouteSharesByItsWeights(t *testing.T) {
	w := newWorld(t)
	w.service("web", "app=web hash=a", "")
	w.service("web-canary", "app=web hash=b", "")
	w.deploy(4, "app=web hash=a", "v1")
	w.deploy(1, "app=web hash=b", "v2-bad20")
	w.route("web", map[string]int64{"web": 90, "web-canary": 10})
	w.run(20)
	w.expect(map[string]int{"service=web": 900, "service=web-canary": 100, "status=500": 20})
	w.route("web", map[string]int64{"web": 40, "web-canary": 60})
	w.run(20)
	w.expect(map[string]int{"service=web": 1300, "service=web-canary": 700, "status=500": 140})
	w.route("web", map[string]int64{"web": 100, "web-canary": 0})
	w.run(20)
	w.expect(map[string]int{"service=web": 2300, "service=web-canary": 700})
	w.route("web", map[string]int64{"web": -1, "web-canary": -1}) // no weight is 1
	w.run(20)
	w.expect(map[string]int{"service=web": 2800, "service=web-canary": 1200})
}

func TestARouteOfAnotherApplicationChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.service("web", "app=web", "")
	w.deploy(2, "app=web", "v1")
	w.route("a", map[string]int64{"other": 1, "absent": 1})
	w.run(10)
	w.expect(map[string]int{"job=web service=web status=200": 500})
}

func TestAWeightOnNoPodIsAnError(t *testing.T) {
	w := newWorld(t)
	w.service("web", "app=web hash=a", "")
	w.service("web-canary", "app=web hash=b", "")
	w.deploy(1, "app=web hash=a", "v1")
	w.route("web", map[string]int64{"web": 50, "web-canary": 50})
	w.run(10)
	w.expect(map[string]int{"status=200": 250, "service=web-canary status=503": 250})
}

func TestWhatNeverRanGetsNoRequestAndWhatRanGetsErrors(t *testing.T) {
	w := newWorld(t)
	w.service("web", "app=web", "")
	w.pod("v1-0", "app=web", "v1", corev1.ConditionFalse)
	w.run(10)
	w.expect(map[string]int{"job=web": 0})
	w.deploy(1, "app=web", "v1")
	w.run(10)
	w.expect(map[string]int{"status=200": 500, "status=503": 0})
	w.pod("v1-0", "app=web", "v1", corev1.ConditionFalse)
	w.run(10)
	w.expect(map[string]int{"status=503": 500})
}

// rate() sees nothing of a series' first sample, so a bad version's first errors would be missed.
func TestAPodGetsNoRequestBeforeItsZerosWereScraped(t *testing.T) {
	w := newWorld(t)
	w.service("web", "app=web", "")
	w.deploy(1, "app=web", "v1")
	for range 100 {
		w.send(tick)
	}
	w.expect(map[string]int{"job=web": 0}) // this scrapes
	w.run(10)
	w.expect(map[string]int{"job=web": 500})
	w.deploy(1, "app=web", "v2")
	w.send(tick)
	if text := w.scrape(); !strings.Contains(text, `service="web",status="500",version="v2"} 0`) {
		t.Errorf("no zero: %s", text)
	}
}

func TestAServiceSaysItsRate(t *testing.T) {
	for said, want := range map[string]int{"": 500, "sim/rps=20": 200, "sim/rps=0": 0, "sim/rps=0.5": 5, "sim/rps=many": 500, "sim/rps=-1": 500, "sim/rps=NaN": 500} {
		w := newWorld(t)
		w.service("web", "app=web", said)
		w.deploy(1, "app=web", "v1")
		w.run(10)
		if got := w.sum("job=web"); got < want-1 || got > want+1 {
			t.Errorf("%q: %d requests in 10 s, want %d", said, got, want)
		}
	}
}

func TestThePodsOfAnAbandonedVersionAreForgotten(t *testing.T) {
	w := newWorld(t)
	w.service("web", "app=web", "")
	w.deploy(1, "app=web", "v1")
	w.deploy(1, "app=web", "v2")
	w.run(10)
	if err := w.pods.Delete(w.pods.List()[0]); err != nil {
		t.Fatal(err)
	}
	before := w.sum("")
	if before < 498 {
		t.Errorf("the last requests of a pod are lost: %d", before)
	}
	for range keptScrapes + 1 {
		w.run(1)
	}
	if text := w.scrape(); strings.Contains(text, `version="v1"`) == strings.Contains(text, `version="v2"`) {
		t.Errorf("both or none are left: %s", text)
	}
	if len(w.targets) != 1 {
		t.Errorf("%d pods are kept", len(w.targets))
	}
}

func TestAnApplicationIsNamedByItsServicesSelector(t *testing.T) {
	w := newWorld(t)
	w.service("a", "app.kubernetes.io/name=shop app=x", "")
	w.service("b", "app=web", "")
	w.service("c", "tier=back", "")
	w.service("external", "", "")
	services, err := w.Workload.services.List(labels.Everything())
	if err != nil {
		t.Fatal(err)
	}
	apps := w.applications(services)
	for _, want := range []string{"shop/shop", "shop/web", "shop/c"} {
		if apps[want] == nil {
			t.Errorf("no %s", want)
		}
	}
	if len(apps) != 3 {
		t.Errorf("%d applications", len(apps))
	}
}
