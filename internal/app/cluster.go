package app

import (
	"fmt"
	"slices"
	"strings"

	"slipway/internal/fault"
)

// InCluster is what https://kubernetes.default.svc means: the cluster of this name in the configuration, as Argo CD's
// own cluster is called.
const (
	InCluster       = "in-cluster"
	InClusterServer = "https://kubernetes.default.svc"
)

// Cluster maps what a destination says to how the cluster is reached.
type Cluster struct {
	Name       string `json:"name"`
	Server     string `json:"server"`               // as destinations name it; need not be where the API server answers
	Kubeconfig string `json:"kubeconfig,omitempty"` // file
	Context    string `json:"context,omitempty"`    // "" means the file's current context
	// Drift says how the cluster is looked at for drift; "" means DriftSweep.
	Drift DriftMode `json:"drift,omitempty"`
	// PrometheusNamespace is where a bare host of a metric, such as prometheus, is a Service; "" means the namespace of the
	// Rollout that is analysed.
	PrometheusNamespace string `json:"prometheusNamespace,omitempty"`
}

// DriftMode is how a cluster is looked at for drift.
type DriftMode string

// The modes (design.md 3).
const (
	DriftSweep DriftMode = "sweep" // one look a minute: close to no cost
	DriftWatch DriftMode = "watch" // always: an edit is healed within a second; a function runs all the time
)

// DriftMode is Drift, or what is meant where nothing is said.
func (c Cluster) DriftMode() DriftMode {
	if c.Drift == "" {
		return DriftSweep
	}
	return c.Drift
}

// What a declaration means that does not say otherwise.
const (
	DefaultNamespace = "argocd"  // of an Application object
	DefaultProject   = "default" // allows what Argo CD's allows
)

// Resolve is the configured cluster that a destination means, by server URL or by name. An error is fault.Invalid and
// names the clusters that there are. Trailing slashes and the case of a URL make no difference.
func Resolve(clusters []Cluster, d Destination) (Cluster, error) {
	var found []Cluster
	for _, c := range clusters {
		if d.Server != "" && d.Name == "" && sameServer(c.Server, d.Server) || d.Name != "" && d.Server == "" && c.Name == d.Name {
			found = append(found, c)
		}
	}
	if len(found) == 0 && sameServer(d.Server, InClusterServer) && d.Name == "" {
		return Resolve(clusters, Destination{Name: InCluster})
	}
	if len(found) == 1 {
		return found[0], nil
	}
	what := fmt.Sprintf("name %.200q", d.Name)
	if d.Server != "" {
		what = fmt.Sprintf("server %.200q", d.Server)
	}
	if len(found) > 1 {
		return Cluster{}, fault.New(fault.Invalid, "resolve destination: %d clusters have the %s: %s", len(found), what, names(found))
	}
	return Cluster{}, fault.New(fault.Invalid, "resolve destination: no cluster has the %s; there are: %s", what, names(clusters))
}

func sameServer(a, b string) bool {
	return strings.EqualFold(strings.TrimRight(a, "/"), strings.TrimRight(b, "/"))
}

// names is the clusters' names, sorted, "none" when there are none.
func names(clusters []Cluster) string {
	var all []string
	for _, c := range clusters {
		all = append(all, c.Name)
	}
	if len(all) == 0 {
		return "none"
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
