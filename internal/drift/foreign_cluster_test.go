//go:build cluster

package drift

import (
	"testing"

	"slipway/internal/app"
)

const containerA = `.spec.template.spec.containers[name="web"]`

func beStrict(a *app.Application) { a.Annotations = map[string]string{strictNote: "true"} }

// Argo CD shows none of these (argo-cd #4537, #4661, #7611, #23368): a re-apply removes none of them.
func TestWhatOthersAddIsNamedApart(t *testing.T) {
	t.Parallel()
	sidecar := func(r *real) {
		r.strategic(deployments, "web", "kubectl-edit", `{"spec":{"template":{"spec":{"containers":[{"name":"miner","image":"miner:1"}]}}}}`)
	}
	runAll(t, []act{
		{
			name: "a sidecar", do: sidecar,
			want: []string{`Foreign Deployment/web .spec.template.spec.containers[name="miner"] by kubectl-edit`},
			live: []string{`deployments.apps web .spec.template.spec.containers[name="miner"].image = miner:1`}, writes: []string{},
		},
		{
			name: "a sidecar, where the application is strict", app: beStrict, do: sidecar,
			want: []string{`Foreign Deployment/web .spec.template.spec.containers[name="miner"] by kubectl-edit`},
			then: []string{`Foreign Deployment/web .spec.template.spec.containers[name="miner"] by kubectl-edit`},
			live: []string{`deployments.apps web .spec.template.spec.containers[name="miner"] = `, `deployments.apps web ` + containerA + `.image = nginx:1.27`},
		},
		{
			name: "a sidecar that a mutating webhook puts in front, and an edit", do: func(r *real) {
				r.ops(deployments, "web", "injector", `[{"op":"add","path":"/spec/template/spec/containers/0","value":{"name":"proxy","image":"proxy:1"}}]`)
				r.strategic(deployments, "web", "kubectl-set", `{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"nginx:evil"}]}}}}`)
			},
			want: []string{
				`Drifted Deployment/web ` + containerA + `.image by kubectl-set`,
				`Foreign Deployment/web .spec.template.spec.containers[name="proxy"] by injector`,
			},
			live: []string{`deployments.apps web ` + containerA + `.image = nginx:1.27`, `deployments.apps web .spec.template.spec.containers[name="proxy"].image = proxy:1`},
		},
		{
			name: "hostNetwork", do: func(r *real) {
				r.merge(deployments, "web", "kubectl-patch", `{"spec":{"template":{"spec":{"hostNetwork":true}}}}`)
			},
			want: []string{
				`Foreign Deployment/web .spec.template.spec.hostNetwork by kubectl-patch`,
			},
			live: []string{`deployments.apps web .spec.template.spec.hostNetwork = true`},
		},
		{
			name: "hostNetwork, where the application is strict", app: beStrict, do: func(r *real) {
				r.merge(deployments, "web", "kubectl-patch", `{"spec":{"template":{"spec":{"hostNetwork":true}}}}`)
			},
			want: []string{`Foreign Deployment/web .spec.template.spec.hostNetwork by kubectl-patch`},
			then: []string{`Foreign Deployment/web .spec.template.spec.hostNetwork by kubectl-patch`},
			live: []string{`deployments.apps web .spec.template.spec.hostNetwork = `},
		},
		{
			name: "kubectl set env", do: func(r *real) {
				r.strategic(deployments, "web", "kubectl-set", `{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"DEBUG","value":"1"}]}]}}}}`)
			},
			want: []string{`Foreign Deployment/web ` + containerA + `.env[name="DEBUG"] by kubectl-set`},
			live: []string{`deployments.apps web ` + containerA + `.env[name="DEBUG"].value = 1`},
		},
		{
			name: "kubectl set env, where the object is strict", git: `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: own, annotations: {slipway.dev/strict: "true"}}
spec:
  selector: {matchLabels: {app: own}}
  template:
    metadata: {labels: {app: own}}
    spec: {containers: [{name: own, image: nginx, env: [{name: A, value: "1"}]}]}
`, do: func(r *real) {
				r.strategic(deployments, "own", "kubectl-set", `{"spec":{"template":{"spec":{"containers":[{"name":"own","env":[{"name":"X","value":"1"},{"name":"Y","value":"1"}]}]}}}}`)
			},
			want: []string{
				`Foreign Deployment/own .spec.template.spec.containers[name="own"].env[name="X"] by kubectl-set`,
				`Foreign Deployment/own .spec.template.spec.containers[name="own"].env[name="Y"] by kubectl-set`,
			},
			then: []string{
				`Foreign Deployment/own .spec.template.spec.containers[name="own"].env[name="X"] by kubectl-set`,
				`Foreign Deployment/own .spec.template.spec.containers[name="own"].env[name="Y"] by kubectl-set`,
			},
			live: []string{`deployments.apps own .spec.template.spec.containers[name="own"].env[name="X"] = `, `deployments.apps own .spec.template.spec.containers[name="own"].env[name="A"].value = 1`},
		},
		{
			name: "an init container", do: func(r *real) {
				r.strategic(deployments, "web", "kubectl-edit", `{"spec":{"template":{"spec":{"initContainers":[{"name":"first","image":"sh:1"}]}}}}`)
			},
			want: []string{`Foreign Deployment/web .spec.template.spec.initContainers[name="first"] by kubectl-edit`},
		},
		{
			name: "kubectl annotate", do: func(r *real) {
				r.merge(deployments, "web", "kubectl-annotate", `{"metadata":{"annotations":{"example.com/owner":"me"}}}`)
			},
			want: []string{`Foreign Deployment/web .metadata.annotations["example.com/owner"] by kubectl-annotate`},
		},
		{
			name: "kubectl label", do: func(r *real) {
				r.merge(deployments, "web", "kubectl-label", `{"metadata":{"labels":{"tier":"front"}}}`)
			},
			want: []string{`Foreign Deployment/web .metadata.labels.tier by kubectl-label`},
		},
		{
			name: "kubectl rollout restart", do: func(r *real) {
				r.strategic(deployments, "web", "kubectl-rollout", `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"2026-01-01T00:00:00Z"}}}}}`)
			},
			want: []string{`Foreign Deployment/web .spec.template.metadata.annotations by kubectl-rollout`},
		},
		{
			name: "kubectl rollout pause", do: func(r *real) {
				r.strategic(deployments, "web", "kubectl-rollout", `{"spec":{"paused":true}}`)
			},
			want: []string{`Foreign Deployment/web .spec.paused by kubectl-rollout`},
			live: []string{`deployments.apps web .spec.paused = true`},
		},
		{
			name: "a default is overridden", do: func(r *real) {
				r.merge(deployments, "web", "kubectl-edit", `{"spec":{"strategy":{"rollingUpdate":{"maxSurge":"50%"}}}}`)
			},
			want: []string{`Foreign Deployment/web .spec.strategy.rollingUpdate.maxSurge by kubectl-edit`},
		},
		{
			name: "a default is overridden, where the application is strict", app: beStrict, do: func(r *real) {
				r.merge(deployments, "web", "kubectl-edit", `{"spec":{"strategy":{"rollingUpdate":{"maxSurge":"50%"}}}}`)
			},
			want: []string{`Foreign Deployment/web .spec.strategy.rollingUpdate.maxSurge by kubectl-edit`},
			then: []string{`Foreign Deployment/web .spec.strategy.rollingUpdate.maxSurge by kubectl-edit`},
			live: []string{`deployments.apps web .spec.strategy.rollingUpdate.maxSurge = 25%`},
		},
		{
			name: "a key more in a ConfigMap", do: func(r *real) { r.merge(configMaps, "a", "kubectl-edit", `{"data":{"extra":"1"}}`) },
			want: []string{"Foreign ConfigMap/a .data.extra by kubectl-edit"}, live: []string{"configmaps a .data.extra = 1"},
		},
		{
			name: "a key more in a Secret", do: func(r *real) { r.merge(secrets, "s", "kubectl-edit", `{"data":{"extra":"aGFja2Vk"}}`) },
			want: []string{"Foreign Secret/s .data.extra by kubectl-edit"},
		},
		{
			name: "what was added goes again", do: func(r *real) {
				r.merge(configMaps, "a", "kubectl-edit", `{"data":{"extra":"1"}}`)
				r.want("reported", found(r.sweep()), []string{"Foreign ConfigMap/a .data.extra by kubectl-edit"})
				r.merge(configMaps, "a", "kubectl-edit", `{"data":{"extra":null}}`)
			},
		},
		{
			name: "a sync comes between, which takes it for known", do: func(r *real) {
				r.merge(configMaps, "a", "kubectl-edit", `{"data":{"extra":"1"}}`)
				r.sync(base + configMap("b", "k: v1"))
				r.Take()
			},
			want: []string{"Foreign ConfigMap/a .data.extra by kubectl-edit"},
		},
		{
			name: "another manager applies the same value, and git gives it up", do: func(r *real) {
				r.apply(configMaps, "kubectl", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {k: v1}\n")
				r.sync(base + configMap("extra", "j: v1"))
				r.Take()
			},
			git:  configMap("extra", "k: v1", "j: v1"),
			want: []string{"Foreign ConfigMap/extra .data.k by kubectl"}, live: []string{"configmaps extra .data.k = v1"},
		},
	})
}

func TestItemsOfListsAreComparedByTheirKeys(t *testing.T) {
	t.Parallel()
	runAll(t, []act{
		{
			name: "a Service's port is keyed anew, 80 to 8080", do: func(r *real) {
				r.edit(services, "web", "kubectl-edit", func(o map[string]any) {
					s, _ := locate(o, `.spec.ports[0].port`)
					put(o, s, int64(8081))
				})
			},
			want: []string{`Drifted Service/web .spec.ports[port=8081,protocol="TCP"] by kubectl-edit`},
			live: []string{"services web .spec.ports[0].port = 80"},
		},
		{
			name: "a container's port is keyed anew", do: func(r *real) {
				r.edit(deployments, "web", "kubectl-edit", func(o map[string]any) {
					s, _ := locate(o, containerA+`.ports[0].containerPort`)
					put(o, s, int64(9090))
				})
			},
			want: []string{`Drifted Deployment/web ` + containerA + `.ports[containerPort=9090,protocol="TCP"] by kubectl-edit`},
			live: []string{"deployments.apps web " + containerA + ".ports[0].containerPort = 8080"},
		},
		{
			name: "a Service gets a second port", do: func(r *real) {
				r.strategic(services, "web", "kubectl-edit", `{"spec":{"ports":[{"name":"metrics","port":9000}]}}`)
			},
			want: []string{`Foreign Service/web .spec.ports[port=9000,protocol="TCP"] by kubectl-edit`},
			live: []string{`services web .spec.ports[name="http"].port = 80`},
		},
		{
			name: "the target of a Service's port", do: func(r *real) {
				r.strategic(services, "web", "kubectl-edit", `{"spec":{"ports":[{"port":80,"targetPort":9999}]}}`)
			},
			want: []string{`Drifted Service/web .spec.ports[name="http"].targetPort by kubectl-edit`},
			live: []string{`services web .spec.ports[name="http"].targetPort = 8080`},
		},
		{
			name: "a Service's selector, an atomic map, gets a key", do: func(r *real) {
				r.merge(services, "web", "kubectl-edit", `{"spec":{"selector":{"version":"canary"}}}`)
			},
			want: []string{`Drifted Service/web .spec.selector.version by kubectl-edit`},
			live: []string{`services web .spec.selector.version = `},
		},
		{
			name: "variables change places", do: func(r *real) {
				r.edit(deployments, "web", "kubectl-edit", func(o map[string]any) {
					s, _ := locate(o, containerA+`.env`)
					l, _ := value(o, s).([]any)
					put(o, s, []any{l[1], l[0]})
				})
			},
			want: []string{`Drifted Deployment/web ` + containerA + `.env by nobody`},
			live: []string{`deployments.apps web ` + containerA + `.env[0].name = A`},
		},
		{
			name: "a variable is taken out", do: func(r *real) {
				r.strategic(deployments, "web", "kubectl-set", `{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"A","$patch":"delete"}]}]}}}}`)
			},
			want: []string{`Drifted Deployment/web ` + containerA + `.env[name="A"] by nobody`},
			live: []string{`deployments.apps web ` + containerA + `.env[name="A"].value = 1`},
		},
		{
			name: "a container is replaced by another", do: func(r *real) {
				r.ops(deployments, "web", "kubectl-edit", `[{"op":"replace","path":"/spec/template/spec/containers/0","value":{"name":"other","image":"other:1"}}]`)
			},
			want: []string{
				`Drifted Deployment/web ` + containerA + ` by nobody`,
				`Foreign Deployment/web .spec.template.spec.containers[name="other"] by kubectl-edit`,
			},
			live: []string{`deployments.apps web ` + containerA + `.image = nginx:1.27`},
		},
		{
			name: "an atomic list is extended", git: `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: in}
spec:
  rules:
  - host: a.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
`, do: func(r *real) {
				r.ops("ingresses.networking.k8s.io", "in", "kubectl-edit", `[{"op":"add","path":"/spec/rules/-","value":{"host":"evil.example.com"}}]`)
			},
			want: []string{`Drifted Ingress/in .spec.rules by kubectl-edit`},
			live: []string{`ingresses.networking.k8s.io in .spec.rules[0].host = a.example.com`, `ingresses.networking.k8s.io in .spec.rules[1] = `},
		},
		{
			name: "a list of values gets one more", git: "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: role}\nrules: [{apiGroups: [\"\"], resources: [pods], verbs: [get]}]\n",
			do: func(r *real) {
				r.ops("roles.rbac.authorization.k8s.io", "role", "kubectl-edit", `[{"op":"add","path":"/rules/0/verbs/-","value":"delete"}]`)
			},
			want: []string{`Drifted Role/role .rules[0].verbs by kubectl-edit`},
			live: []string{`roles.rbac.authorization.k8s.io role .rules[0].verbs = [get]`},
		},
	})
}
