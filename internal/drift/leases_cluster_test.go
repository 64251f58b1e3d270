//go:build cluster

package drift

import (
	"strings"
	"testing"

	"slipway/test/cluster"
	"slipway/test/counted"
)

const (
	routes   = "httproutes.gateway.networking.k8s.io"
	rollouts = "rollouts.v1alpha1.argoproj.io"
)

// canary is what a rollout writes in the middle of one: both selectors, the weights, and its annotations.
func canary(r *real) {
	const by = "slipway-rollout"
	notes := `"metadata":{"annotations":{"argo-rollouts.argoproj.io/managed-by-rollouts":"web","slipway.dev/rollout-fence":"7.Begin"}}`
	r.merge(services, "stable", by, `{`+notes+`,"spec":{"selector":{"rollouts-pod-template-hash":"old"}}}`)
	r.merge(services, "canary", by, `{`+notes+`,"spec":{"selector":{"rollouts-pod-template-hash":"new"}}}`)
	r.merge(routes, "web", by, `{"metadata":{"annotations":{"slipway.dev/rollout-fence":"7.Begin"}},"spec":{"rules":[{"matches":[{"path":{"value":"/"}}],`+
		`"backendRefs":[{"name":"stable","port":80,"weight":70},{"name":"canary","port":80,"weight":30}]}]}}`)
}

// released is what all that is when there is no Rollout.
var released = []string{
	"Drifted HTTPRoute/web .spec.rules[0].backendRefs[name=\"canary\"].weight by slipway-rollout",
	"Drifted HTTPRoute/web .spec.rules[0].backendRefs[name=\"stable\"].weight by slipway-rollout",
	"Drifted Service/canary .spec.selector.rollouts-pod-template-hash by slipway-rollout",
	"Drifted Service/stable .spec.selector.rollouts-pod-template-hash by slipway-rollout",
	"Foreign HTTPRoute/web .metadata.annotations[\"slipway.dev/rollout-fence\"] by slipway-rollout",
	"Foreign Service/canary .metadata.annotations[\"argo-rollouts.argoproj.io/managed-by-rollouts\"] by slipway-rollout",
	"Foreign Service/canary .metadata.annotations[\"slipway.dev/rollout-fence\"] by slipway-rollout",
	"Foreign Service/stable .metadata.annotations[\"argo-rollouts.argoproj.io/managed-by-rollouts\"] by slipway-rollout",
	"Foreign Service/stable .metadata.annotations[\"slipway.dev/rollout-fence\"] by slipway-rollout",
}

func TestWhatARolloutHoldsIsNoDrift(t *testing.T) {
	t.Parallel()
	cluster.InstallCRDs(t)
	cluster.InstallHTTPRoutes(t)
	held := []string{
		"services stable .spec.selector.rollouts-pod-template-hash = old", "services canary .spec.selector.rollouts-pod-template-hash = new",
		"services stable .spec.selector.app = web", "services stable .metadata.annotations[\"slipway.dev/rollout-fence\"] = 7.Begin",
		routes + " web .spec.rules[0].backendRefs[0].weight = 70", routes + " web .spec.rules[0].backendRefs[1].weight = 30",
	}
	runAll(t, []act{
		{
			name: "in the middle of a canary", only: counted.Delivered,
			do:   func(r *real) { r.create(rollouts, "slipway", counted.Canaried); canary(r) },
			live: held,
		},
		{
			name: "and what somebody edits beside it is healed", only: counted.Delivered,
			do: func(r *real) {
				r.create(rollouts, "slipway", counted.Canaried)
				canary(r)
				r.merge(services, "stable", "ops", `{"spec":{"selector":{"app":"theirs"}},"metadata":{"annotations":{"theirs":"1"}}}`)
				r.strategic(services, "canary", "ops", `{"spec":{"ports":[{"port":80,"name":"theirs"}]}}`)
				r.ops(routes, "web", "ops", `[{"op":"replace","path":"/spec/rules/0/matches/0/path/value","value":"/theirs"}]`)
			},
			want: []string{
				"Drifted HTTPRoute/web .spec.rules[0].matches[0].path.value by ops",
				"Drifted Service/canary .spec.ports[name=\"http\"] by nobody", "Drifted Service/canary .spec.ports[name=\"theirs\"] by ops",
				"Drifted Service/stable .spec.selector.app by ops", "Foreign Service/stable .metadata.annotations.theirs by ops",
			},
			live: held,
		},
		{
			name: "of an application that is strict", only: counted.Delivered, app: beStrict,
			do:   func(r *real) { r.create(rollouts, "slipway", counted.Canaried); canary(r) },
			live: held,
		},
		{
			name: "without the Rollout it is", only: counted.Delivered,
			do:   canary,
			want: released,
			live: []string{
				"services stable .spec.selector.rollouts-pod-template-hash = ", routes + " web .spec.rules[0].backendRefs[0].weight = 100",
			},
		},
		{
			name: "an undo of kubectl's plugin is put right whole", only: counted.Delivered + "---" + counted.Canaried,
			do: func(r *real) {
				r.ops(rollouts, "web", "kubectl-argo-rollouts", `[{"op":"replace","path":"/spec/template","value":{"metadata":{"labels":{"app":"web"}},`+
					`"spec":{"dnsPolicy":"ClusterFirst","containers":[{"name":"web","image":"nginx:0","imagePullPolicy":"Always"}]}}}]`)
			},
			want: []string{
				`Drifted Rollout/web .spec.template.spec.containers[name="web"].image by kubectl-argo-rollouts`,
				`Foreign Rollout/web .spec.template.spec.containers[name="web"].imagePullPolicy by kubectl-argo-rollouts`,
				`Foreign Rollout/web .spec.template.spec.dnsPolicy by kubectl-argo-rollouts`,
			},
			live: []string{
				rollouts + ` web .spec.template.spec.containers[0].image = nginx:1`,
				rollouts + ` web .spec.template.spec.containers[0].imagePullPolicy = `, rollouts + ` web .spec.template.spec.dnsPolicy = `,
			},
		},
		{
			name: "the label that says who drives a Rollout is put back", only: counted.Delivered + "---" + counted.Canaried,
			do: func(r *real) {
				r.merge(rollouts, "web", "ops", `{"metadata":{"labels":{"argo-rollouts.argoproj.io/controller-instance-id":null}}}`)
			},
			want: []string{`Drifted Rollout/web .metadata.labels["argo-rollouts.argoproj.io/controller-instance-id"] by nobody`},
			live: []string{rollouts + ` web .metadata.labels["argo-rollouts.argoproj.io/controller-instance-id"] = slipway`},
		},
		{
			name: "of a Service that another Rollout names", only: counted.Delivered,
			do: func(r *real) {
				r.create(rollouts, "slipway", counted.Canaried)
				r.merge(rollouts, "web", "slipway", `{"spec":{"strategy":{"canary":{"stableService":"other","trafficRouting":null}}}}`)
				r.merge(services, "stable", "slipway-rollout", `{"spec":{"selector":{"rollouts-pod-template-hash":"old"}}}`)
			},
			want: []string{"Drifted Service/stable .spec.selector.rollouts-pod-template-hash by slipway-rollout"},
			live: []string{"services stable .spec.selector.rollouts-pod-template-hash = "},
		},
	})
}

// The sync or the sweep before has taken the weights for what they should be, so nothing of the metadata tells that they
// are not git's.
func TestWhatWasHeldIsFoundOnceTheRolloutIsGone(t *testing.T) {
	t.Parallel()
	cluster.InstallCRDs(t)
	cluster.InstallHTTPRoutes(t)
	for name, synced := range map[string]bool{"after a sync": true, "after a sweep": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReal(t)
			r.sync(counted.Delivered)
			r.create(rollouts, "slipway", counted.Canaried)
			canary(r)
			if synced {
				r.sync(counted.Delivered + configMap("more", "k: v"))
			}
			r.want("while it is there", found(r.sweep()), nil)
			r.delete(rollouts, "web")
			r.eager()
			r.want("once it is gone", found(r.sweep()), released)
			r.selfHeal()
			r.sweep()
			if got := r.field(services, "stable", ".spec.selector.rollouts-pod-template-hash") + r.field(routes, "web", ".spec.rules[0].backendRefs[1].weight"); got != "0" {
				t.Errorf("healed to %q", got)
			}
		})
	}
}

// A canary that is not to be superseded: git's next template is applied by the first look after its end.
func TestAPostponedTemplateIsAppliedOnceTheCanaryHasEnded(t *testing.T) {
	t.Parallel()
	cluster.InstallCRDs(t)
	cluster.InstallHTTPRoutes(t)
	r := newReal(t)
	const image = ".spec.template.spec.containers[0].image"
	queued := strings.Replace(counted.Canaried, "metadata: {name: web}", "metadata: {name: web, annotations: {slipway.dev/supersede: queue}}", 1)
	r.sync(counted.Delivered + "---" + queued)
	r.merge(rollouts, "web", "slipway-rollout", `{"metadata":{"annotations":{"slipway.dev/rollout-fence":"7.Begin"}}}`)
	r.merge(rollouts, "web", "slipway-rollout", `{"status":{"phase":"Paused","stableRS":"a","currentPodHash":"b"}}`, "status")
	r.sync(counted.Delivered + "---" + strings.Replace(queued, "nginx:1", "nginx:2", 1))
	r.selfHeal()
	for range 2 {
		r.want("while the canary runs", found(r.sweep()), nil)
		if got := r.field(rollouts, "web", image); got != "nginx:1" {
			t.Fatalf("while the canary runs it is %s", got)
		}
	}
	r.merge(rollouts, "web", "slipway-rollout", `{"status":{"phase":"Healthy","stableRS":"b"}}`, "status")
	r.eager()
	r.sweep()
	if got := r.field(rollouts, "web", image); got != "nginx:2" {
		t.Errorf("after the canary it is %s", got)
	}
}
