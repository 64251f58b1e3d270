package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheLastOfTwoEqualKeysWins(t *testing.T) {
	const pod = "containers: [{name: a, env: [{name: X, value: '1'}, {name: Z}, {name: X, value: '2'}, {name: X, value: '3'}]}]"
	const clean = "containers: [{name: a, env: [{name: Z}, {name: X, value: '3'}]}]"
	kinds := map[string][2]string{
		"v1 Pod":                   {"spec: {%}", "spec"},
		"apps/v1 Deployment":       {"spec: {template: {spec: {%}}}", "spec.template.spec"},
		"apps/v1 StatefulSet":      {"spec: {template: {spec: {%}}}", "spec.template.spec"},
		"apps/v1 DaemonSet":        {"spec: {template: {spec: {%}}}", "spec.template.spec"},
		"apps/v1 ReplicaSet":       {"spec: {template: {spec: {%}}}", "spec.template.spec"},
		"v1 ReplicationController": {"spec: {template: {spec: {%}}}", "spec.template.spec"},
		"batch/v1 Job":             {"spec: {template: {spec: {%}}}", "spec.template.spec"},
		"batch/v1 CronJob":         {"spec: {jobTemplate: {spec: {template: {spec: {%}}}}}", "spec.jobTemplate.spec.template.spec"},
		"v1 PodTemplate":           {"template: {spec: {%}}", "template.spec"},
	}
	for kind, where := range kinds {
		t.Run(kind, func(t *testing.T) {
			version, name, _ := strings.Cut(kind, " ")
			text := "apiVersion: " + version + "\nkind: " + name + "\nmetadata: {name: web, namespace: shop}\n" + where[0]
			o := one(t, strings.Replace(text, "%", pod, 1))
			want := []string{"f.yaml: " + o.ID().String() + ": " + where[1] + `.containers[0].env[3].name: "X" appears 3 times, the last wins`}
			if diff := cmp.Diff(want, ListMapDuplicates(o)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(one(t, strings.Replace(text, "%", pod, 1)).Object, o.Object); diff != "" {
				t.Errorf("looking changed it: %s", diff)
			}
			LastWins(o)
			if diff := cmp.Diff(one(t, strings.Replace(text, "%", clean, 1)).Object, o.Object); diff != "" {
				t.Error(diff)
			}
			if again := ListMapDuplicates(o); again != nil {
				t.Errorf("still: %q", again)
			}
		})
	}
}

// Which lists these are was tried on kube-apiserver 1.36.3: a create is answered with a warning, an apply with a 500.
func TestListsThatTheServerKeepsByKey(t *testing.T) {
	const head = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: "
	for _, tt := range []struct{ name, spec, want string }{
		{"no duplicates", "{containers: [{env: [{name: A}, {name: B}]}, {env: [{name: A}]}]}", ""},
		{"init containers", "{initContainers: [{}, {env: [{name: A}, {name: A}]}]}", `spec.initContainers[1].env[1].name: "A"`},
		{"ports", "{containers: [{ports: [{containerPort: 80}, {containerPort: 80, protocol: TCP, name: b}]}]}", "spec.containers[0].ports[1].containerPort: 80/TCP"},
		{"one port of two protocols", "{containers: [{ports: [{containerPort: 53}, {containerPort: 53, protocol: UDP}]}]}", ""},
		{"pull secrets", "{imagePullSecrets: [{name: a}, {name: a}]}", `spec.imagePullSecrets[1].name: "a"`},
		{"host aliases", "{hostAliases: [{ip: 192.0.2.1}, {ip: 192.0.2.1}]}", `spec.hostAliases[1].ip: "192.0.2.1"`},
		{"containers are left to the server", "{containers: [{name: a}, {name: a}]}", ""},
		{"volumes are left to the server", "{volumes: [{name: a}, {name: a}]}", ""},
		{"lists by place", "{tolerations: [{key: a}, {key: a}], containers: [{args: [a, a], envFrom: [{}, {}]}]}", ""},
		{"malformed", "{containers: [1, {env: {a: b}}, {env: [x, {value: y}, {name: 1.5}, ~]}], imagePullSecrets: x}", ""},
		{"no spec", "~", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(ListMapDuplicates(one(t, head+tt.spec)), "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	account := one(t, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: s}\nsecrets: [{name: a}, {name: a}]\nimagePullSecrets: [{name: a}, {name: a}]")
	if diff := cmp.Diff([]string{`f.yaml: ServiceAccount s: secrets[1].name: "a" appears 2 times, the last wins`}, ListMapDuplicates(account)); diff != "" {
		t.Error(diff)
	}
	for _, kind := range []string{"example.com/v1\nkind: Deployment", "v1\nkind: ConfigMap"} {
		o := one(t, "apiVersion: "+kind+"\nmetadata: {name: x}\nspec: {template: {spec: {imagePullSecrets: [{name: a}, {name: a}]}}}")
		if got := ListMapDuplicates(o); got != nil {
			t.Errorf("%s is not Kubernetes' own: %q", o.ID(), got)
		}
	}
}
