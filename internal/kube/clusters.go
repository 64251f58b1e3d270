package kube

import (
	"fmt"
	"os"
	"sync"
	"time"

	"slipway/internal/app"
	"slipway/internal/fault"
)

// Clusters keeps one connection a cluster, with what discovery found, for as long as the process lives: a warm function
// pays for TLS and discovery once. The zero value is ready. It is safe for concurrent use.
type Clusters struct {
	mu   sync.Mutex
	open map[app.Cluster]opened
}

type opened struct {
	cluster *Cluster
	written time.Time
	size    int64
}

// For is the connection to c. A kubeconfig that was written since is read again: credentials rotate, and a local
// cluster comes back under another port.
func (p *Clusters) For(c app.Cluster) (*Cluster, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	info, err := os.Stat(c.Kubeconfig)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, fmt.Errorf("connect to cluster %s: read kubeconfig: %w", c.Name, err))
	}
	was, there := p.open[c]
	if there && was.written.Equal(info.ModTime()) && was.size == info.Size() {
		return was.cluster, nil
	}
	k, err := Connect(c)
	if err != nil {
		return nil, err
	}
	if there {
		was.cluster.Close()
	}
	if p.open == nil {
		p.open = map[app.Cluster]opened{}
	}
	p.open[c] = opened{cluster: k, written: info.ModTime(), size: info.Size()}
	return k, nil
}
