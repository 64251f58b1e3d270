//go:build cluster

package drift

import (
	"testing"

	"slipway/internal/app"
)

// ignoring has an application ignore what rule names of Deployments.
func ignoring(rule app.IgnoreDifference) func(*app.Application) {
	if rule.Kind == "" {
		rule.Group, rule.Kind = "apps", "Deployment"
	}
	return func(a *app.Application) { a.IgnoreDifferences = []app.IgnoreDifference{rule} }
}

func pointer(p ...string) app.IgnoreDifference { return app.IgnoreDifference{JSONPointers: p} }
func jq(x string) app.IgnoreDifference         { return app.IgnoreDifference{JQPathExpressions: []string{x}} }

func manager(names ...string) app.IgnoreDifference {
	return app.IgnoreDifference{ManagedFieldsManagers: names}
}

const theirImage = `{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"nginx:theirs"}]}}}}`

func TestWhatIsIgnoredIsNoDrift(t *testing.T) {
	t.Parallel()
	patch := func(p string) func(r *real) {
		return func(r *real) { r.strategic(deployments, "web", "ops", p) }
	}
	const imageIsTheirs, replicasAreTheirs = "deployments.apps web " + containerA + ".image = nginx:theirs", "deployments.apps web .spec.replicas = 3"
	drifted := "Drifted Deployment/web " + containerA + ".image by ops"
	sidecar := `{"spec":{"template":{"spec":{"containers":[{"name":"mesh","image":"mesh"}]}}}}`
	runAll(t, []act{
		{name: "a value by JSON pointer", app: ignoring(pointer("/spec/replicas")), do: patch(`{"spec":{"replicas":3}}`), live: []string{replicasAreTheirs}},
		{
			name: "of all kinds of all groups", app: ignoring(app.IgnoreDifference{Group: "*", Kind: "*", JSONPointers: []string{"/spec/replicas"}}),
			do: patch(`{"spec":{"replicas":3}}`), live: []string{replicasAreTheirs},
		},
		{
			name: "an image by JSON pointer, behind a sidecar", app: ignoring(app.IgnoreDifference{
				JSONPointers: []string{"/spec/template/spec/containers/0/image"}, JQPathExpressions: []string{`.spec.template.spec.containers[] | select(.name == "mesh")`},
			}),
			do:   func(r *real) { patch(sidecar)(r); patch(theirImage)(r) },
			live: []string{imageIsTheirs, `deployments.apps web .spec.template.spec.containers[name="mesh"].image = mesh`},
		},
		{
			name: "an image by jq", app: ignoring(jq(`.spec.template.spec.containers[] | select(.name == "web").image`)), do: patch(theirImage), live: []string{imageIsTheirs},
		},
		{
			name: "an image by jq of another container", app: ignoring(jq(`.spec.template.spec.containers[] | select(.name == "other").image`)), do: patch(theirImage),
			want: []string{drifted}, live: []string{"deployments.apps web " + containerA + ".image = nginx:1.27"},
		},
		{name: "all that a manager has set", app: ignoring(manager("ops")), do: patch(theirImage), live: []string{imageIsTheirs}},
		{
			name: "all that another manager has set", app: ignoring(manager("other")), do: patch(theirImage),
			want: []string{drifted}, live: []string{"deployments.apps web " + containerA + ".image = nginx:1.27"},
		},
		{
			name: "what the controller manager has set by scaling", app: ignoring(manager("kube-controller-manager")),
			do: func(r *real) {
				r.merge(deployments, "web", "kube-controller-manager", `{"spec":{"replicas":3}}`, "scale")
			},
			live: []string{replicasAreTheirs},
		},
		{
			name: "an ignored field, and another one beside it", app: ignoring(jq(".spec.template.spec.containers[].image")),
			do: func(r *real) {
				patch(theirImage)(r)
				patch(`{"spec":{"replicas":3,"template":{"spec":{"containers":[{"name":"web","env":[{"name":"A","value":"9"}]}]}}}}`)(r)
			},
			want: []string{"Drifted Deployment/web .spec.replicas by ops", "Drifted Deployment/web " + containerA + `.env[name="A"].value by ops`},
			live: []string{imageIsTheirs, "deployments.apps web .spec.replicas = 1", "deployments.apps web " + containerA + `.env[name="A"].value = 1`},
		},
		{
			name: "a sidecar", app: ignoring(jq(`.spec.template.spec.containers[] | select(.name == "mesh")`)), do: patch(sidecar),
			live: []string{`deployments.apps web .spec.template.spec.containers[name="mesh"].image = mesh`},
		},
		{
			name: "a sidecar, of an application that is strict", app: func(a *app.Application) {
				ignoring(jq(`.spec.template.spec.containers[] | select(.name == "mesh")`))(a)
				a.Annotations = map[string]string{strictNote: "true"}
			},
			do: func(r *real) {
				patch(sidecar)(r)
				patch(`{"spec":{"template":{"spec":{"hostNetwork":true}}}}`)(r)
			},
			want: []string{"Foreign Deployment/web .spec.template.spec.hostNetwork by ops"}, then: []string{"Foreign Deployment/web .spec.template.spec.hostNetwork by ops"},
			live: []string{`deployments.apps web .spec.template.spec.containers[name="mesh"].image = mesh`},
		},
		{
			name: "a part of annotations that somebody added", app: ignoring(pointer("/spec/template/metadata/annotations/theirs")),
			do:   patch(`{"spec":{"template":{"metadata":{"annotations":{"theirs":"1","other":"1"}}}}}`),
			want: []string{"Foreign Deployment/web .spec.template.metadata.annotations.other by ops"},
			live: []string{"deployments.apps web .spec.template.metadata.annotations.theirs = 1", "deployments.apps web .spec.template.metadata.annotations.other = 1"},
		},
		{
			name: "a list in one piece", app: ignoring(app.IgnoreDifference{Kind: "Service", JSONPointers: []string{"/spec/externalIPs"}}),
			git: "---\napiVersion: v1\nkind: Service\nmetadata: {name: ext}\nspec: {selector: {app: web}, ports: [{port: 80}], externalIPs: [192.0.2.1, 192.0.2.2]}\n",
			do: func(r *real) {
				r.merge("services", "ext", "ops", `{"spec":{"externalIPs":["192.0.2.2","192.0.2.3"]}}`)
				r.merge("services", "ext", "ops", `{"spec":{"selector":{"app":"theirs"}}}`)
			},
			want: []string{"Drifted Service/ext .spec.selector.app by ops"},
			live: []string{"services ext .spec.externalIPs = [192.0.2.2 192.0.2.3]", "services ext .spec.selector.app = web"},
		},
		{
			name: "a value that somebody took away", app: ignoring(app.IgnoreDifference{Kind: "ConfigMap", JSONPointers: []string{"/data/k"}}),
			do: func(r *real) {
				r.merge(configMaps, "a", "ops", `{"data":{"k":null,"j":"theirs"}}`)
			},
			want: []string{"Drifted ConfigMap/a .data.j by ops"}, live: []string{"configmaps a .data.k = ", "configmaps a .data.j = v1"},
		},
		{
			name: "a value that nobody has touched is not lost with the heal of another", app: ignoring(app.IgnoreDifference{Kind: "ConfigMap", JSONPointers: []string{"/data/k"}}),
			do:   func(r *real) { r.merge(configMaps, "a", "ops", `{"data":{"j":"theirs"}}`) },
			want: []string{"Drifted ConfigMap/a .data.j by ops"}, live: []string{"configmaps a .data.k = v1", "configmaps a .data.j = v1"},
		},
		{
			name: "all of a map, with what others added", app: ignoring(app.IgnoreDifference{Kind: "ConfigMap", JSONPointers: []string{"/data"}}),
			do: func(r *real) {
				r.merge(configMaps, "a", "ops", `{"data":{"k":"theirs","new":"theirs"},"metadata":{"labels":{"team":"theirs"}}}`)
			},
			want: []string{"Drifted ConfigMap/a .metadata.labels.team by ops"}, live: []string{"configmaps a .data.k = theirs", "configmaps a .data.new = theirs", "configmaps a .metadata.labels.team = shop"},
		},
		{
			name: "labels and annotations, those of ours with them", app: ignoring(app.IgnoreDifference{Kind: "ConfigMap", JSONPointers: []string{"/metadata/labels", "/metadata/annotations"}}),
			do: func(r *real) {
				r.merge(configMaps, "a", "ops", `{"metadata":{"labels":{"team":"theirs"},"annotations":{"x":"y"}},"data":{"k":"theirs"}}`)
			},
			want: []string{"Drifted ConfigMap/a .data.k by ops"}, live: []string{"configmaps a .metadata.labels.team = theirs", "configmaps a .metadata.annotations.x = y", "configmaps a .data.k = v1"},
		},
		{
			name: "an ignored object that is deleted comes back as git says it", app: ignoring(app.IgnoreDifference{Kind: "ConfigMap", JSONPointers: []string{"/data/k"}}),
			do: func(r *real) {
				r.merge(configMaps, "a", "ops", `{"data":{"k":"theirs"}}`)
				r.sweep()
				r.delete(configMaps, "a")
			},
			want: []string{"Missing ConfigMap/a"}, live: []string{"configmaps a .data.k = v1"},
		},
		{
			name: "an expression that selects nothing by its nature is said", app: ignoring(app.IgnoreDifference{Kind: "ConfigMap", JQPathExpressions: []string{".data | keys"}}),
			do:   func(r *real) { r.merge(configMaps, "a", "ops", `{"data":{"k":"theirs"}}`) },
			want: []string{"Unknown ConfigMap/a"}, stays: true, then: []string{"not healed: Unknown ConfigMap/a"}, live: []string{"configmaps a .data.k = theirs"},
		},
	})
}

// A rule that is taken back makes drift of what it has hidden, though nobody touches the object.
func TestWhatIsNoLongerIgnoredIsFound(t *testing.T) {
	t.Parallel()
	for name, respect := range map[string]bool{"respected by syncs": true, "not respected": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReal(t)
			text := base
			r.declare(func(a *app.Application) {
				ignoring(app.IgnoreDifference{Kind: "ConfigMap", JSONPointers: []string{"/data/k"}})(a)
				a.Sync.RespectIgnoreDifferences = respect
			})
			r.sync(text)
			r.merge(configMaps, "a", "ops", `{"data":{"k":"theirs"}}`)
			r.want("ignored", found(r.sweep()), nil)
			r.want("quiet", found(r.sweep()), nil)
			r.declare(func(a *app.Application) { a.IgnoreDifferences = nil })
			r.sync(text)
			if r.sweep(); r.field(configMaps, "a", ".data.k") != "theirs" {
				t.Fatal("written without selfHeal")
			}
			if got := r.known().Findings; len(got) != 1 || got[0].Outcome != Drifted {
				t.Fatalf("kept: %v", lines(got))
			}
			r.selfHeal()
			r.sweep()
			if got := r.field(configMaps, "a", ".data.k"); got != "v1" {
				t.Errorf("k is %s", got)
			}
		})
	}
}

// The sync has sent the autoscaler's number, so nothing tells by metadata that it is not git's.
func TestReplicasThatASyncLeftAreFoundOnceTheAutoscalerIsGone(t *testing.T) {
	t.Parallel()
	r := newReal(t)
	r.sync(base)
	r.create(hpas, "kubectl-autoscale", hpa("by-hand"))
	r.scaledTo("2")
	r.sync(base + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n")
	r.want("while it is there", found(r.sweep()), nil)
	r.delete(hpas, "by-hand")
	r.eager()
	r.want("once it is gone", found(r.sweep()), []string{"Drifted Deployment/web .spec.replicas by kube-controller-manager"})
	r.selfHeal()
	r.sweep()
	r.scaledTo("1")
}
