// Package lease says what Rollouts hold of the objects around them: the selectors of their Services, the weights between
// their two backends in a route, the replicas of a workload, and the annotations by which a rollout keeps its own writes
// apart. After a canary those never equal what git says again, so as long as the Rollout exists sync and drift leave them
// as they are live, and nothing else. It is told from the Rollouts alone, so it is not lost with the state; and of a
// Rollout that another controller drives too.
package lease

import (
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/manifest"
	"slipway/internal/rollout"
	"slipway/internal/traffic"
)

// Leases are what Rollouts hold, by object.
type Leases map[manifest.ID][]Lease

// Lease is what one Rollout holds of one object.
type Lease struct {
	Holder manifest.ID // the Rollout
	role   role
	router traffic.Gateway // of a route
}

type role uint8

const (
	itself role = iota
	service
	route
	workload
)

// Of is what Rollouts hold, whichever strategy they name and whether or not we can drive it. One that does not decode
// holds nothing: the API server has let none in.
func Of(rollouts ...*unstructured.Unstructured) Leases {
	out := Leases{}
	for _, u := range rollouts {
		var ro v1alpha1.Rollout
		if runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &ro) == nil {
			out.add(&ro)
		}
	}
	return out
}

func (l Leases) add(ro *v1alpha1.Rollout) {
	holder := manifest.ID{Group: "argoproj.io", Kind: "Rollout", Namespace: ro.Namespace, Name: ro.Name}
	hold := func(gk schema.GroupKind, namespace, name string, lease Lease) {
		if name != "" {
			id := manifest.ID{Group: gk.Group, Kind: gk.Kind, Namespace: namespace, Name: name}
			lease.Holder = holder
			l[id] = append(l[id], lease)
		}
	}
	hold(holder.GroupKind(), ro.Namespace, ro.Name, Lease{role: itself})
	for _, name := range services(ro.Spec.Strategy) {
		hold(schema.GroupKind{Kind: "Service"}, ro.Namespace, name, Lease{role: service})
	}
	if gateway, ok := rollout.GatewayOf(ro); ok {
		c := ro.Spec.Strategy.Canary
		router := traffic.Gateway{Stable: c.StableService, Canary: c.CanaryService, Namespace: ro.Namespace}
		for _, name := range gateway.Routes() {
			hold(schema.GroupKind{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"}, gateway.Namespace, name, Lease{role: route, router: router})
		}
	}
	if ref := ro.Spec.WorkloadRef; ref != nil {
		gk := schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind).GroupKind()
		hold(gk, ro.Namespace, ref.Name, Lease{role: workload})
	}
}

func services(s v1alpha1.RolloutStrategy) []string {
	var out []string
	if c := s.Canary; c != nil {
		out = append(out, c.CanaryService, c.StableService)
		if c.PingPong != nil {
			out = append(out, c.PingPong.PingService, c.PingPong.PongService)
		}
	}
	if b := s.BlueGreen; b != nil {
		out = append(out, b.ActiveService, b.PreviewService)
	}
	return out
}
