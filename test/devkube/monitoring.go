package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"devkube/cluster"
	"devkube/prom"
	"devkube/workload"
)

// prometheus is the identity of what is started here.
const prometheus = "prometheus"

// monitoringOptions say whether and how Prometheus runs.
type monitoringOptions struct {
	on        bool
	port      int
	namespace string
	interval  time.Duration
}

// monitoring is Prometheus and the workload that it scrapes. A nil one is not running.
type monitoring struct {
	prom     *prom.Server
	workload *workload.Workload
}

// startMonitoring starts Prometheus before the cluster, whose API server must know where it listens.
func startMonitoring(s *settings) (*monitoring, error) {
	if !s.monitoring.on {
		return nil, nil
	}
	m := &monitoring{workload: workload.New()}
	var err error
	m.prom, err = prom.Start(prom.Options{
		Dir: filepath.Join(s.Dir, "prometheus"), Port: s.monitoring.port, Interval: s.monitoring.interval,
		Targets: map[string]http.Handler{"workload": m.workload},
	})
	if err != nil {
		return nil, err
	}
	s.PodPorts = map[int]string{promPort: strings.TrimPrefix(m.prom.URL, "http://")}
	return m, nil
}

// join makes Prometheus a Service of the cluster and starts the workload, which goes on until ctx ends.
func (m *monitoring) join(ctx context.Context, c *cluster.Cluster, namespace string) error {
	if m == nil {
		return nil
	}
	config, err := c.Config(prometheus)
	if err != nil {
		return err
	}
	if err := m.workload.Start(ctx, config); err != nil {
		return err
	}
	if err := publish(ctx, config, namespace); err != nil {
		return fmt.Errorf("publish prometheus in namespace %s: %w", namespace, err)
	}
	return nil
}

func (m *monitoring) url() string {
	if m == nil {
		return ""
	}
	return m.prom.URL
}

// err never gives one when Prometheus is not running.
func (m *monitoring) err() <-chan error {
	if m == nil {
		return nil
	}
	return m.prom.Err()
}

func (m *monitoring) stop() {
	if m != nil {
		m.prom.Stop()
	}
}
