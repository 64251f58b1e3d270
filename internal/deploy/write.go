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

// rewrites bounds how often one object is written again after a 409: controllers raise resourceVersions, and a run that
// cannot get a word in comes back later (faults 30).
const rewrites = 3

// write sends one object on condition of the uid and resourceVersion that were read under the lock (rule 12). After a
// 409 it looks at the object again, and reads the record before it writes again: only the fence tells whether the other
// writer was a controller or a newer run (without it, P3 breaks in 24 steps).
func (r *run) write(ctx context.Context, c Cluster, s *step) (*unstructured.Unstructured, error) {
	for range rewrites {
		out, err := r.send(ctx, c, s)
		if !fault.Is(err, fault.Conflict) {
			return out, err
		}
		if err := r.meet(ctx, c, s); err != nil {
			return nil, err
		}
		if s.live != nil && s.live.DeletionTimestamp != nil {
			return nil, fault.Later(fault.Unavailable, deletionWait, fault.New(fault.Unavailable, "apply %s: the live object is still being deleted", s.id))
		}
		if err := r.holds(ctx); err != nil {
			return nil, err
		}
	}
	return nil, fault.New(fault.Unavailable, "apply %s: it changed under %d tries in a row", s.id, rewrites)
}

func (r *run) send(ctx context.Context, c Cluster, s *step) (*unstructured.Unstructured, error) {
	u := s.DeepCopy()
	manifest.Stamp(u, string(r.name), s.digest, r.stampFence())
	if s.live == nil {
		out, _, err := c.Apply(ctx, created(u), false)
		return out, err
	}
	uid, version := s.live.UID, s.live.ResourceVersion
	if entries, changed := ownership.Migrate(s.live.ManagedFields); changed {
		// What kubectl or Argo CD has set is theirs until it is ours: a field removed from git would stay for ever.
		next, err := c.Adopt(ctx, s.id, uid, version, entries)
		if err != nil {
			return nil, fmt.Errorf("take over ownership of %s: %w", s.id, err)
		}
		version = next
		s.live.ManagedFields, s.live.ResourceVersion = entries, next
	}
	u.SetUID(uid)
	u.SetResourceVersion(version)
	out, _, err := c.Apply(ctx, u, false)
	return out, err
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
