package local

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/kube"
	"slipway/internal/local/devkube"
)

// monitoring is the namespace of a development cluster's Prometheus.
const monitoring = "monitoring"

// cluster finds the cluster called in-cluster, or starts one, beside the configured ones.
func (l *Local) cluster(ctx context.Context, o *Options, others []app.Cluster) error {
	own := slices.IndexFunc(others, func(c app.Cluster) bool { return c.Name == app.InCluster || c.Server == app.InClusterServer })
	switch {
	case own >= 0 && o.Kubeconfig != "":
		return fault.New(fault.Invalid, "start: the cluster %s is in the configuration and given by --kubeconfig", app.InCluster)
	case own >= 0:
		l.ready.Kubeconfig, l.clusters = others[own].Kubeconfig, others
		return nil
	}
	in := app.Cluster{Name: app.InCluster, Server: app.InClusterServer, Kubeconfig: o.Kubeconfig}
	if in.Kubeconfig == "" {
		p, err := l.startCluster(ctx, filepath.Join(o.Dir, "devkube"))
		if err != nil {
			return err
		}
		in.Kubeconfig, in.PrometheusNamespace, l.ready.Prometheus = p.Kubeconfig, monitoring, p.Prometheus
		c, err := kube.Connect(in)
		if err != nil {
			return err
		}
		defer c.Close()
		if err := define(ctx, c); err != nil {
			return err
		}
	}
	l.ready.Kubeconfig = in.Kubeconfig
	l.clusters = append([]app.Cluster{in}, others...)
	return nil
}

// startCluster starts a development cluster that ends with this process. Its Prometheus, and the traffic that it pretends,
// cost 6 MB and no time.
func (l *Local) startCluster(ctx context.Context, dir string) (*devkube.Process, error) {
	p, err := devkube.Start(ctx, devkube.Options{Dir: dir, Args: []string{"--prometheus", "--prometheus-namespace", monitoring}})
	if err != nil {
		return nil, err
	}
	l.closers = append(l.closers, func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		_ = p.Stop(stop)
	})
	go func() {
		if err := <-p.Exited(); err != nil {
			l.fail(fmt.Errorf("development cluster: %w", err))
		}
	}()
	return p, nil
}
