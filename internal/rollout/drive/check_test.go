package drive

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"slipway/internal/fault"
)

func TestWhatCannotBeDrivenIsRefusedByFileAndPath(t *testing.T) {
	const rollout = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web, namespace: shop%s}\n" +
		"spec: {replicas: 2, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: a, image: b}]}}, strategy: %s}\n"
	const template = "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nmetadata: {name: rate, namespace: shop}\n" +
		"spec: {metrics: [{name: rate, provider: %s}]}\n"
	fill := func(form string, with ...string) string {
		for _, w := range with {
			form = strings.Replace(form, "%s", w, 1)
		}
		return form
	}
	for name, c := range map[string]struct{ object, want string }{
		"a canary":              {fill(rollout, "", "{canary: {steps: [{setWeight: 20}, {pause: {}}]}}"), ""},
		"blue-green":            {fill(rollout, "", "{blueGreen: {activeService: a}}"), "spec.strategy.blueGreen"},
		"an unknown policy":     {fill(rollout, ", annotations: {slipway.dev/supersede: never}", "{canary: {}}"), "slipway.dev/supersede"},
		"a template":            {fill(template, "{prometheus: {address: 'http://prometheus:9090', query: up}}"), ""},
		"an unbuilt provider":   {fill(template, "{web: {url: 'http://a'}}"), "spec.metrics[0].provider.web"},
		"a kind of the cluster": {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var u unstructured.Unstructured
			if err := yaml.Unmarshal([]byte(c.object), &u.Object); err != nil {
				t.Fatal(err)
			}
			err := Check("apps/web.yaml", &u)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), "apps/web.yaml: ") || !strings.Contains(err.Error(), c.want) {
				t.Error(err)
			}
		})
	}
}
