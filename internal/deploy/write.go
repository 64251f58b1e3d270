package deploy

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
	"slipway/internal/record"
)

// write sends one object on condition of the uid and resourceVersion that were read under the lock (rule 12). After a
// 409 it looks at the object again, and reads the record before it writes again: only the fence tells whether the other
// writer was a controller or a newer run (without it, P3 breaks in 24 steps).
func (r *run) write(ctx context.Context, c Cluster, s *step) (*unstructured.Unstructured, []string, error) {
	for try := range rewrites {
		out, warnings, err := r.send(ctx, c, s)
		if !fault.Is(err, fault.Conflict) {
			return out, warnings, err
		}
		if err := settleDown(ctx, try); err != nil {
			return nil, nil, err
		}
		if err := r.meet(ctx, c, s); err != nil {
			return nil, nil, err
		}
		if err := r.holds(ctx); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, fault.New(fault.Unavailable, "apply %s: it changed under %d tries in a row", s.id, rewrites)
}

func (r *run) send(ctx context.Context, c Cluster, s *step) (*unstructured.Unstructured, []string, error) {
	u := s.object()
	manifest.Stamp(u, string(r.name), s.digest, r.stampFence())
	if s.live == nil {
		return c.Apply(ctx, created(u), false)
	}
	uid, version := s.live.UID, s.live.ResourceVersion
	if entries, changed := ownership.Migrate(s.live.ManagedFields); changed {
		// What kubectl or Argo CD has set is theirs until it is ours: a field removed from git would stay for ever.
		next, err := c.Adopt(ctx, s.id, uid, version, entries)
		if err != nil {
			return nil, nil, fmt.Errorf("take over ownership of %s: %w", s.id, err)
		}
		version = next
		s.live.ManagedFields, s.live.ResourceVersion = entries, next
	}
	u.SetUID(uid)
	u.SetResourceVersion(version)
	return c.Apply(ctx, u, false)
}

// stampFence is the fence for the annotation: only a takeover needs it, so that every object really changes (rule 11).
func (r *run) stampFence() uint64 {
	if r.takeover == 0 {
		return 0
	}
	return r.fence
}

func recordWiden(fence uint64, kinds []string) func(*record.Record) error {
	return func(rec *record.Record) error { return rec.Widen(fence, kinds) }
}
