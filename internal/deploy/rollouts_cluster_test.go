//go:build cluster

package deploy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/rollout/drive"
	"slipway/test/cluster"
	"slipway/test/counted"
)

// strict is a driver that checks as the real one does.
type strict struct{ driver }

func (*strict) Check(file string, u *unstructured.Unstructured) error { return drive.Check(file, u) }

func newRealDriven(t *testing.T) (*real, *strict) {
	t.Helper()
	cluster.InstallCRDs(t)
	cluster.InstallHTTPRoutes(t)
	r, d := newReal(t), &strict{}
	r.deploy.Rollouts = d
	return r, d
}

const webRollout = "Rollout.argoproj.io"

func TestARealRolloutIsOursAndStartedOnceAChange(t *testing.T) {
	t.Parallel()
	r, d := newRealDriven(t)
	files := map[string]string{"web.yaml": counted.Canaried, "traffic.yaml": counted.Delivered}
	first := r.push(files)
	r.mustSync()
	r.mine(r.get(webRollout, "web"), `.metadata.labels["argo-rollouts.argoproj.io/controller-instance-id"]`, ".spec.strategy.canary.stableService")
	files["more.yaml"] = configMap("more", "k: v")
	r.push(files)
	r.Take()
	r.mustSync()
	r.wantWrites("apply ConfigMap/more")
	files["web.yaml"] = strings.Replace(counted.Canaried, "nginx:1", "nginx:2", 1)
	second := r.push(files)
	r.mustSync()
	name := string(r.app.Key())
	if diff := cmp.Diff([]record.Origin{{Application: name, Commit: string(first)}, {Application: name, Commit: string(second)}}, d.started); diff != "" {
		t.Fatal(diff)
	}
	if live := r.get(webRollout, "web"); imageOf(d.seen[1]) != "nginx:2" || d.seen[1].GetUID() != live.GetUID() || d.seen[1].GetGeneration() != live.GetGeneration() {
		t.Error("it was not told of the Rollout as it is in the cluster")
	}
}

func TestARolloutThatCannotBeDrivenIsRefusedByItsPathBeforeAnyWrite(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ was, is, want string }{
		"another strategy":         {counted.Canaried[strings.Index(counted.Canaried, "strategy:"):], "strategy: {blueGreen: {activeService: stable}}\n", "spec.strategy.blueGreen"},
		"a router that is unknown": {"{plugins: {argoproj-labs/gatewayAPI: {httpRoute: web}}}", "{nginx: {stableIngress: web}}", "spec.strategy.canary.trafficRouting.nginx"},
		"a field that is unknown":  {"stableService: stable", "stableService: stable, stableServices: x", "spec.strategy.canary.stableServices"},
		"a policy that is none":    {"metadata: {name: web}", "metadata: {name: web, annotations: {slipway.dev/supersede: soon}}", "slipway.dev/supersede"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, d := newRealDriven(t)
			r.push(map[string]string{"a.yaml": configMap("a", "k: v"), "web.yaml": strings.Replace(counted.Canaried, c.was, c.is, 1)})
			err := r.sync()
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "apps/shop/web.yaml: ") || !strings.Contains(err.Error(), c.want) || len(d.started) > 0 {
				t.Errorf("the error is %v, %d started", err, len(d.started))
			}
			r.wantWrites()
		})
	}
}

func TestATemplateOfAnalysesIsCheckedAndApplied(t *testing.T) {
	t.Parallel()
	r, _ := newRealDriven(t)
	const analyses = "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nmetadata: {name: errors}\n" +
		"spec: {metrics: [{name: errors, interval: 5s, count: 3, successCondition: 'result[0] < 0.05', provider: {PROVIDER}}]}\n"
	r.push(map[string]string{"a.yaml": configMap("a", "k: v"), "t.yaml": strings.Replace(analyses, "PROVIDER", "datadog: {query: q}", 1)})
	if err := r.sync(); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "apps/shop/t.yaml: ") || !strings.Contains(err.Error(), "datadog") {
		t.Errorf("the error is %v", err)
	}
	r.wantWrites()
	r.push(map[string]string{"t.yaml": strings.Replace(analyses, "PROVIDER", "prometheus: {address: 'http://prometheus:9090', query: up}", 1)})
	r.mustSync()
	r.mine(r.get("AnalysisTemplate.argoproj.io", "errors"), ".spec.metrics")
}

func TestARealCanaryThatIsNotToBeSupersededKeepsItsTemplate(t *testing.T) {
	t.Parallel()
	for policy, rejected := range map[string][]string{"queue": nil, "reject": {"nginx:2"}} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			r, d := newRealDriven(t)
			running := strings.Replace(counted.Canaried, "{name: web}", "{name: web, annotations: {slipway.dev/supersede: "+policy+"}}", 1)
			r.ship(running)
			r.merge(rollouts, "web", "slipway-rollout", `{"metadata":{"annotations":{"slipway.dev/rollout-fence":"7.Begin"}}}`)
			r.merge(rollouts, "web", "slipway-rollout", `{"status":{"phase":"Paused","stableRS":"a","currentPodHash":"b"}}`, "status")
			before := r.get(webRollout, "web").GetGeneration()
			r.ship(strings.NewReplacer("nginx:1", "nginx:2", "canaryService: canary", "canaryService: canary, maxSurge: 2").Replace(running))
			live := r.get(webRollout, "web")
			if imageOf(live) != "nginx:1" || live.GetGeneration() != before {
				t.Errorf("live is %s, generation %d after %d", imageOf(live), live.GetGeneration(), before)
			}
			if diff := cmp.Diff(rejected, d.rejected); diff != "" || len(d.started) != 1 {
				t.Errorf("%d started, rejected %s", len(d.started), diff)
			}
			if told := strings.Contains(r.notes(), "nginx:2 is rejected"); told != (policy == "reject") {
				t.Errorf("notes %q", r.notes())
			}
		})
	}
}
