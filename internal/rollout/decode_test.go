package rollout

import (
	"os"
	"strings"
	"testing"

	"slipway/internal/fault"
)

const tutorial = "testdata/tutorial.yaml"

func TestTheTutorialsRolloutIsRead(t *testing.T) {
	text, err := os.ReadFile(tutorial)
	if err != nil {
		t.Fatal(err)
	}
	ro, err := Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if steps := ro.Spec.Strategy.Canary.Steps; Replicas(ro) != 5 || len(steps) != 8 || steps[1].Pause.DurationSeconds() != 600 {
		t.Errorf("%+v", ro.Spec.Strategy.Canary)
	}
	if _, routed := GatewayOf(ro); routed {
		t.Error("it has no router")
	}
}

// with puts lines into a Rollout that is right without them. Each is a path, two spaces for each dot, and its value.
func with(canary, spec string) string {
	return `apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "web:1"}]}}
` + spec + "\n  strategy:\n    canary:\n      stableService: web-stable\n      canaryService: web-canary\n" + canary
}

func TestWhatIsNotBuiltIsRefusedByItsPath(t *testing.T) {
	canary := func(lines string) string { return with("      "+strings.ReplaceAll(lines, "\n", "\n      "), "") }
	spec := func(line string) string { return with("      steps: []", "  "+line) }
	for _, c := range []struct{ name, text, want string }{
		{"blue-green", strings.Replace(with("      steps: []", ""), "canary:\n", "blueGreen: {activeService: a}\n    canary:\n", 1), "spec.strategy.blueGreen: not supported yet"},
		{"workloadRef", spec("workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}"), "spec.workloadRef: not supported yet"},
		{"rollbackWindow", spec("rollbackWindow: {revisions: 3}"), "spec.rollbackWindow: not supported yet"},
		{"antiAffinity", canary("antiAffinity: {}"), "spec.strategy.canary.antiAffinity: not supported yet"},
		{"canaryMetadata", canary("canaryMetadata: {labels: {a: b}}"), "spec.strategy.canary.canaryMetadata: not supported yet"},
		{"stableMetadata", canary("stableMetadata: {labels: {a: b}}"), "spec.strategy.canary.stableMetadata: not supported yet"},
		{"dynamicStableScale", canary("dynamicStableScale: true"), "spec.strategy.canary.dynamicStableScale: not supported yet"},
		{"pingPong", canary("pingPong: {pingService: a, pongService: b}"), "spec.strategy.canary.pingPong: not supported yet"},
		{"replicaProgressThreshold", canary("replicaProgressThreshold: {type: Pods, value: 1}"), "spec.strategy.canary.replicaProgressThreshold: not supported yet"},
		{"experiment", canary("steps:\n- setWeight: 5\n- experiment: {templates: []}"), "spec.strategy.canary.steps[1].experiment: not supported yet"},
		{"setHeaderRoute", canary("steps: [{setHeaderRoute: {name: a}}]"), "spec.strategy.canary.steps[0].setHeaderRoute: not supported yet"},
		{"setMirrorRoute", canary("steps: [{setMirrorRoute: {name: a}}]"), "spec.strategy.canary.steps[0].setMirrorRoute: not supported yet"},
		{"plugin step", canary("steps: [{plugin: {name: a}}]"), "spec.strategy.canary.steps[0].plugin: not supported yet"},
		{"istio", canary("trafficRouting: {istio: {}}"), "spec.strategy.canary.trafficRouting.istio: not supported yet"},
		{"nginx", canary("trafficRouting: {nginx: {stableIngress: a}}"), "spec.strategy.canary.trafficRouting.nginx: not supported yet"},
		{"alb", canary("trafficRouting: {alb: {ingress: a, servicePort: 80}}"), "spec.strategy.canary.trafficRouting.alb: not supported yet"},
		{"smi", canary("trafficRouting: {smi: {}}"), "spec.strategy.canary.trafficRouting.smi: not supported yet"},
		{"ambassador", canary("trafficRouting: {ambassador: {mappings: [a]}}"), "spec.strategy.canary.trafficRouting.ambassador: not supported yet"},
		{"appMesh", canary("trafficRouting: {appMesh: {}}"), "spec.strategy.canary.trafficRouting.appMesh: not supported yet"},
		{"traefik", canary("trafficRouting: {traefik: {weightedTraefikServiceName: a}}"), "spec.strategy.canary.trafficRouting.traefik: not supported yet"},
		{"apisix", canary("trafficRouting: {apisix: {route: {name: a}}}"), "spec.strategy.canary.trafficRouting.apisix: not supported yet"},
		{"another plugin", canary("trafficRouting: {plugins: {acme/router: {}}}"), "spec.strategy.canary.trafficRouting.plugins[acme/router]: not supported yet"},
		{"finer weights", canary("trafficRouting: {maxTrafficWeight: 1000}"), "spec.strategy.canary.trafficRouting.maxTrafficWeight: not supported yet"},
		{"a field of the gateway", canary("trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: web, grpcRoute: web}}}"), `spec.strategy.canary.trafficRouting.plugins[argoproj-labs/gatewayAPI]: unknown field "grpcRoute": not supported yet`},
		{"header routes", canary("trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoutes: [{name: web, useHeaderRoutes: true}]}}}"), "httpRoutes[0].useHeaderRoutes: not supported yet"},
	} {
		refused(t, c.name, c.text, c.want)
	}
}

func TestWhatMeansNothingIsRefusedByItsPath(t *testing.T) {
	canary := func(lines string) string { return with("      "+strings.ReplaceAll(lines, "\n", "\n      "), "") }
	spec := func(line string) string { return with("      steps: []", "  "+line) }
	plain := with("      steps: []", "")
	for _, c := range []struct{ name, text, want string }{
		{"an unknown field", spec("replica: 3"), `unknown field "spec.replica"`},
		{"another case", spec("Replicas: 3"), `unknown field "spec.Replicas"`},
		{"a field twice", spec("replicas: 3\n  replicas: 4"), "already set"},
		{"a wrong type", spec("replicas: three"), "Rollout shop/web"},
		{"another kind", strings.Replace(plain, "kind: Rollout", "kind: Deployment", 1), `kind: is "Deployment"`},
		{"no name", strings.Replace(plain, "name: web, namespace", "namespace", 1), "metadata.name: is missing"},
		{"no strategy", plain[:strings.Index(plain, "  strategy:")] + "  strategy: {}\n", "spec.strategy: has neither"},
		{"no selector", strings.Replace(plain, "selector: {matchLabels: {app: web}}", "paused: false", 1), "spec.selector: is missing"},
		{"an empty selector", strings.Replace(plain, "matchLabels: {app: web}", "", 1), "spec.selector: selects every pod"},
		{"a selector of others", strings.Replace(plain, "matchLabels: {app: web}", "matchLabels: {app: shop}", 1), "spec.template.metadata.labels: are not selected"},
		{"a hash in the template", strings.Replace(plain, "labels: {app: web}}", "labels: {app: web, rollouts-pod-template-hash: a}}", 1), "is set by the rollout itself"},
		{"no containers", strings.Replace(plain, `spec: {containers: [{name: web, image: "web:1"}]}`, "spec: {}", 1), "spec.template.spec.containers: is missing"},
		{"fewer than no replicas", spec("replicas: -1"), "spec.replicas: is -1, less than 0"},
		{"a deadline within minReadySeconds", spec("progressDeadlineSeconds: 5\n  minReadySeconds: 5"), "spec.progressDeadlineSeconds: must be more"},
		{"a weight over 100", canary("steps: [{setWeight: 101}]"), "steps[0].setWeight: is 101, not between 0 and 100"},
		{"a negative weight", canary("steps: [{setWeight: -1}]"), "steps[0].setWeight: is -1"},
		{"an empty step", canary("steps: [{}]"), "steps[0]: has 0 kinds of step, not one"},
		{"two in one step", canary("steps: [{setWeight: 5, pause: {}}]"), "steps[0]: has 2 kinds of step, not one"},
		{"a pause that is no time", canary("steps: [{pause: {duration: soon}}]"), `steps[0].pause.duration: is "soon"`},
		{"an analysis of nothing", canary("steps: [{analysis: {}}]"), "steps[0].analysis.templates: is missing"},
		{"a template without a name", canary("steps: [{analysis: {templates: [{clusterScope: true}]}}]"), "templates[0].templateName: is missing"},
		{"a surge that is no share", canary("maxSurge: lots"), `maxSurge: is "lots"`},
		{"a share over all", canary("maxUnavailable: 101%"), `maxUnavailable: is "101%"`},
		{"a negative surge", canary("maxSurge: -1"), "maxSurge: is -1"},
		{"one Service for both", strings.Replace(plain, "web-canary", "web-stable", 1), "canaryService: is the same"},
		{"a starting step after the last", canary("steps: [{setWeight: 5}]\nanalysis: {startingStep: 1, templates: [{templateName: a}]}"), "analysis.startingStep: is 1, but there are 1 steps"},
		{"a scale without a router", canary("steps: [{setCanaryScale: {replicas: 1}}]"), "steps[0].setCanaryScale: needs trafficRouting"},
		{"no router", canary("trafficRouting: {}"), "trafficRouting: names no router"},
		{"a router without Services", strings.Replace(canary("trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: web}}}"), "stableService: web-stable", "steps: []", 1), "needs stableService and canaryService"},
		{"a gateway without routes", canary("trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {}}}"), "names no httpRoute"},
	} {
		refused(t, c.name, c.text, c.want)
	}
}

func refused(t *testing.T, name, text, want string) {
	t.Helper()
	_, err := Decode([]byte(text))
	if err == nil || !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v, want %q", name, err, want)
	}
}

func TestAGatewayIsRead(t *testing.T) {
	ro, err := Decode([]byte(with(`      trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: a, httpRoutes: [{name: b}]}}}`, "")))
	if err != nil {
		t.Fatal(err)
	}
	g, ok := GatewayOf(ro)
	if !ok || g.Namespace != "shop" || strings.Join(g.Routes(), " ") != "a b" {
		t.Errorf("%v %+v", ok, g)
	}
}
