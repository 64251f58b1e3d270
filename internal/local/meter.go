package local

import (
	"cmp"
	"context"
	"sync"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"

	"slipway/internal/analysis"
	"slipway/internal/app"
	"slipway/internal/kube"
	"slipway/internal/metrics"
	"slipway/internal/rollout/drive"
)

// meters measure in clusters. A bare host, such as the tutorial's prometheus, is a Service of the namespace that the
// cluster's prometheus.namespace names, else of the run's own.
type meters struct {
	clusters    []app.Cluster
	connections *kube.Clusters

	mu   sync.Mutex
	open map[where]*metrics.Prometheus // keeps connections open from one measurement to the next
}

// where is a cluster, as it is reached now, and the namespace of a bare host.
type where struct {
	cluster   *kube.Cluster
	namespace string
}

func newMeters(clusters []app.Cluster, connections *kube.Clusters) *meters {
	return &meters{clusters: clusters, connections: connections, open: map[where]*metrics.Prometheus{}}
}

// of is the meter of a cluster.
func (m *meters) of(_ context.Context, name string) (drive.Meter, error) {
	c, err := app.Resolve(m.clusters, app.Destination{Name: name})
	if err != nil {
		return nil, err
	}
	cluster, err := m.connections.For(c)
	if err != nil {
		return nil, err
	}
	return &meter{meters: m, cluster: cluster, namespace: c.PrometheusNamespace}, nil
}

type meter struct {
	*meters
	cluster   *kube.Cluster
	namespace string
}

// Measure implements drive.Meter.
func (m *meter) Measure(ctx context.Context, run *v1alpha1.AnalysisRun, due []string) ([]analysis.Taken, error) {
	p := m.prometheus(where{m.cluster, cmp.Or(m.namespace, run.Namespace)})
	return analysis.Meter{Prometheus: p, Secrets: m.cluster}.Measure(ctx, run, due)
}

func (m *meters) prometheus(at where) *metrics.Prometheus {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.open[at]
	if p == nil {
		api, transport := at.cluster.Proxy()
		p = metrics.New(metrics.Options{API: api, Transport: transport, Namespace: at.namespace})
		m.open[at] = p
	}
	return p
}
