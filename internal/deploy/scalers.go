package deploy

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"slipway/internal/manifest"
)

// scalers knows the objects whose replicas an autoscaler sets, of the set or of anybody. It asks once a namespace.
type scalers struct {
	cluster Cluster
	own     map[manifest.ID]bool // what autoscalers of the set scale

	mu   sync.Mutex // held while asking: the others want the same answer
	seen map[string][]manifest.ID
}

func newScalers(c Cluster) *scalers {
	return &scalers{cluster: c, own: map[manifest.ID]bool{}, seen: map[string][]manifest.ID{}}
}

func (s *scalers) know(it item) {
	if to, ok := manifest.ScaleTarget(it.Unstructured); ok {
		s.own[to] = true
	}
}

func (s *scalers) scale(ctx context.Context, id manifest.ID) (bool, error) {
	if s.own[id] {
		return true, nil
	}
	c, ok := s.cluster.(interface {
		Autoscaled(ctx context.Context, namespace string) ([]manifest.ID, error)
	})
	if !ok || id.Namespace == "" {
		return false, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all, known := s.seen[id.Namespace]
	if !known {
		var err error
		if all, err = c.Autoscaled(ctx, id.Namespace); err != nil {
			return false, fmt.Errorf("look for autoscalers of %s: %w", id, err)
		}
		s.seen[id.Namespace] = all
	}
	return slices.Contains(all, id), nil
}
