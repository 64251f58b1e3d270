//go:build cluster

package drift

import "testing"

const deployments, configMaps, services, secrets = "deployments.apps", "configmaps", "services", "secrets"

func TestAnEditOfAFieldOfOursIsDrift(t *testing.T) {
	t.Parallel()
	runAll(t, []act{
		{
			name: "kubectl edit changes a value", do: func(r *real) {
				r.edit(configMaps, "a", "kubectl-edit", func(o map[string]any) { put(o, steps{"data", "k"}, "edited") })
			},
			want: []string{"Drifted ConfigMap/a .data.k by kubectl-edit"}, live: []string{"configmaps a .data.k = v1"}, writes: []string{"apply ConfigMap/a"},
		},
		{
			name: "kubectl scale", do: func(r *real) {
				r.merge(deployments, "web", "kubectl", `{"spec":{"replicas":3}}`, "scale")
			},
			want: []string{"Drifted Deployment/web .spec.replicas by kubectl"}, live: []string{"deployments.apps web .spec.replicas = 1"},
		},
		{
			// The Scale object leaves a zero out, so the API server notes no owner (seen on 1.36.3).
			name: "kubectl scale to zero", do: func(r *real) {
				r.merge(deployments, "web", "kubectl", `{"spec":{"replicas":0}}`, "scale")
			},
			want: []string{"Drifted Deployment/web .spec.replicas by nobody"}, live: []string{"deployments.apps web .spec.replicas = 1"},
		},
		{
			name: "kubectl patch, merge", do: func(r *real) { r.merge(configMaps, "a", "kubectl-patch", `{"data":{"k":"x","j":"y"}}`) },
			want: []string{"Drifted ConfigMap/a .data.j by kubectl-patch", "Drifted ConfigMap/a .data.k by kubectl-patch"},
			live: []string{"configmaps a .data.k = v1", "configmaps a .data.j = v1"},
		},
		{
			name: "kubectl patch, JSON", do: func(r *real) {
				r.ops(configMaps, "a", "kubectl-patch", `[{"op":"replace","path":"/data/k","value":"x"}]`)
			},
			want: []string{"Drifted ConfigMap/a .data.k by kubectl-patch"}, live: []string{"configmaps a .data.k = v1"},
		},
		{
			name: "kubectl set image, a strategic merge", do: func(r *real) {
				r.strategic(deployments, "web", "kubectl-set", `{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"nginx:evil"}]}}}}`)
			},
			want: []string{`Drifted Deployment/web .spec.template.spec.containers[name="web"].image by kubectl-set`},
			live: []string{`deployments.apps web .spec.template.spec.containers[name="web"].image = nginx:1.27`},
		},
		{
			name: "kubectl set image on an init container", do: func(r *real) {
				r.strategic(deployments, "web", "kubectl-set", `{"spec":{"template":{"spec":{"initContainers":[{"name":"init","image":"busybox:2"}]}}}}`)
			},
			want: []string{`Drifted Deployment/web .spec.template.spec.initContainers[name="init"].image by kubectl-set`},
		},
		{
			name: "kubectl apply --server-side with another value", do: func(r *real) {
				r.apply(configMaps, "kubectl", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: theirs}\n")
			},
			want: []string{"Drifted ConfigMap/a .data.k by kubectl"}, live: []string{"configmaps a .data.k = v1"},
		},
		{
			name: "kubectl apply, client-side, with another value and its annotation", do: func(r *real) {
				r.merge(configMaps, "a", "kubectl-client-side-apply", `{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"}},"data":{"k":"theirs"}}`)
			},
			want: []string{
				"Drifted ConfigMap/a .data.k by kubectl-client-side-apply",
				`Foreign ConfigMap/a .metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"] by kubectl-client-side-apply`,
			},
			live: []string{"configmaps a .data.k = v1"},
		},
		{
			name: "kubectl replace with fewer keys", do: func(r *real) {
				r.edit(configMaps, "a", "kubectl-replace", func(o map[string]any) { put(o, steps{"data"}, map[string]any{"k": "v1"}) })
			},
			want: []string{"Drifted ConfigMap/a .data.j by nobody"}, live: []string{"configmaps a .data.j = v1"},
		},
		{
			name: "kubectl replace without labels, annotations and managed fields", do: func(r *real) {
				r.edit(configMaps, "a", "kubectl-replace", func(o map[string]any) {
					unstructuredRemove(o, "metadata", "labels", "annotations", "managedFields")
				})
			},
			want: []string{
				`Drifted ConfigMap/a .metadata.annotations by nobody`, `Drifted ConfigMap/a .metadata.labels by nobody`,
			},
			live: []string{"configmaps a .metadata.labels.team = shop"},
		},
		{
			name: "kubectl label overwrites a label", do: func(r *real) {
				r.merge(configMaps, "a", "kubectl-label", `{"metadata":{"labels":{"team":"other"}}}`)
			},
			want: []string{"Drifted ConfigMap/a .metadata.labels.team by kubectl-label"}, live: []string{"configmaps a .metadata.labels.team = shop"},
		},
		{
			name: "a value in a Secret", do: func(r *real) { r.merge(secrets, "s", "kubectl-edit", `{"data":{"password":"aGFja2Vk"}}`) },
			want: []string{"Drifted Secret/s .data.password by kubectl-edit"}, live: []string{"secrets s .data.password = aHVudGVyMi1maXJzdA=="},
		},
		{
			name: "a field is removed", do: func(r *real) {
				r.ops(deployments, "web", "kubectl-edit", `[{"op":"remove","path":"/spec/template/spec/containers/0/resources"}]`)
			},
			want: []string{
				`Drifted Deployment/web .spec.template.spec.containers[name="web"].resources.requests by nobody`,
			},
			live: []string{`deployments.apps web .spec.template.spec.containers[name="web"].resources.requests.memory = 64Mi`},
		},
		{
			name: "another value under our own name, by update", do: func(r *real) { r.merge(configMaps, "a", "slipway", `{"data":{"k":"forged"}}`) },
			want: []string{"Drifted ConfigMap/a .data.k by slipway"}, live: []string{"configmaps a .data.k = v1"},
		},
		{
			name: "another value under our own name, by apply", do: func(r *real) {
				r.apply(configMaps, "slipway", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: forged}\n")
			},
			want: []string{
				"Drifted ConfigMap/a .data.j by nobody", "Drifted ConfigMap/a .data.k by nobody",
				"Drifted ConfigMap/a .metadata.annotations by nobody", "Drifted ConfigMap/a .metadata.labels by nobody",
			},
			live: []string{"configmaps a .data.k = v1", "configmaps a .data.j = v1"},
		},
		{
			name: "two people edit two objects", do: func(r *real) {
				r.merge(configMaps, "a", "one", `{"data":{"k":"x"}}`)
				r.merge(deployments, "web", "two", `{"spec":{"replicas":2}}`)
			},
			want: []string{"Drifted ConfigMap/a .data.k by one", "Drifted Deployment/web .spec.replicas by two"},
		},
	})
}

func TestWhatIsWrittenInAnotherWayIsNoDrift(t *testing.T) {
	t.Parallel()
	runAll(t, []act{
		{name: "nobody does anything", do: func(*real) {}},
		{
			name: "a quantity is written in another way", do: func(r *real) {
				r.strategic(deployments, "web", "kubectl-edit", `{"spec":{"template":{"spec":{"containers":[{"name":"web","resources":{"requests":{"cpu":"1"}}}]}}}}`)
			},
		},
		{
			name: "the same values are applied by another manager", do: func(r *real) {
				r.apply(configMaps, "kubectl", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v1}\n")
			},
		},
		{
			name: "a value is changed and changed back", do: func(r *real) {
				r.merge(configMaps, "a", "kubectl-edit", `{"data":{"k":"x"}}`)
				r.merge(configMaps, "a", "kubectl-edit", `{"data":{"k":"v1"}}`)
			},
			live: []string{"configmaps a .data.k = v1"},
		},
		{
			name: "a default is written out", do: func(r *real) {
				r.edit(deployments, "web", "kubectl-edit", func(map[string]any) {})
			},
		},
		{
			name: "quantities, ports and durations that the API server rewrites", git: `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: odd}
spec:
  replicas: 1
  selector: {matchLabels: {app: odd}}
  template:
    metadata: {labels: {app: odd}}
    spec:
      containers:
      - {name: odd, image: "nginx", resources: {limits: {cpu: 0.5, memory: 1024Mi}, requests: {cpu: "0.10"}}, ports: [{containerPort: 80}]}
`, do: func(*real) {},
		},
		{
			name: "what the status subresource says", do: func(r *real) {
				r.merge(deployments, "web", "somebody", `{"status":{"observedGeneration":7}}`, "status")
			},
		},
		{
			name: "a condition of a Service, by its status", do: func(r *real) {
				r.merge(services, "web", "balancer", `{"status":{"conditions":[{"type":"Ready","status":"True","reason":"Up","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}`, "status")
			},
		},
		{
			name: "a finalizer and an owner are added", do: func(r *real) {
				r.merge(configMaps, "a", "operator", `{"metadata":{"finalizers":["example.com/keep"]}}`)
			},
		},
	})
}
