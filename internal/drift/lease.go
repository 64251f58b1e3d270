package drift

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
)

const (
	leaseBeat = time.Second            // how often a holder looks whether a successor has asked
	askBeat   = 100 * time.Millisecond // how often a successor looks whether it was heard
	askTime   = 40 * time.Second       // for how long: a holder that heals lets go after healLease (30 s) at most
	leaveTime = 10 * time.Second       // for handing over when a run's own time is over
)

// leaseName is no application's name: those have a slash.
func leaseName(c app.Cluster) app.Name { return app.Name("watch:" + c.Name) }

func leftKey(c app.Cluster) string { return "drift-at/" + c.Name }

// takeLease asks whoever watches the cluster to let go, and takes the lease until until. Busy: the holder does not answer;
// it has died, and its lease runs out.
func (d *Drift) takeLease(ctx context.Context, c app.Cluster, until time.Time) (fence uint64, err error) {
	for end := time.Now().Add(askTime); ; {
		var busy error
		rec, err := d.Records.Update(ctx, leaseName(c), func(r *record.Record) error {
			if busy = r.Take("watch", time.Now(), until); busy != nil {
				r.Ask()
			}
			return nil
		})
		if err == nil && busy == nil {
			return rec.Lock.Fence, nil
		}
		for held := err == nil; held; { // asked once, it is only read
			if !time.Now().Before(end) || !pause(ctx, askBeat) {
				return 0, fmt.Errorf("take watch lease of cluster %s: %w", c.Name, busy)
			}
			var now record.Record
			now, err = d.Records.Get(ctx, leaseName(c))
			held = err == nil && now.Lock.Owner != "" && now.Lock.Fence == rec.Lock.Fence && time.Now().Before(now.Lock.Until.Add(record.Grace))
		}
		if err != nil && !fault.Is(err, fault.NotFound) {
			return 0, fmt.Errorf("take watch lease of cluster %s: %w", c.Name, err)
		}
	}
}

// asked reports whether a successor wants the lease, and whether it is still held.
func (d *Drift) asked(ctx context.Context, c app.Cluster, fence uint64) (asked, held bool, err error) {
	rec, err := d.Records.Get(ctx, leaseName(c))
	if fault.Is(err, fault.NotFound) {
		return false, false, nil // the state is lost
	}
	if err != nil {
		return false, true, fmt.Errorf("read watch lease of cluster %s: %w", c.Name, err)
	}
	return rec.Lock.Asked, rec.Holds(fence) == nil, nil
}

// left is what a holder leaves to its successor.
type left struct {
	Versions map[string]string          `json:"versions"`          // where the watch of each kind ended
	Waiting  map[app.Name][]manifest.ID `json:"waiting,omitempty"` // what changed before that and was not judged
}

// handOver leaves to the successor where to go on, and frees the lease. A lease that was lost leaves nothing: somebody else
// is further. Nor does one that came to nothing: what the holder before has left may still do.
func (d *Drift) handOver(ctx context.Context, c app.Cluster, fence uint64, l left) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	if _, held, _ := d.asked(ctx, c, fence); !held {
		return nil
	}
	noteErr := d.leave(ctx, c, l)
	_, err := d.Records.Update(ctx, leaseName(c), func(r *record.Record) error {
		_, err := r.Release(fence, record.Settled)
		return err
	})
	if fault.Is(err, fault.Superseded) {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("free watch lease of cluster %s: %w", c.Name, err)
	}
	return errors.Join(noteErr, err)
}

// leave stores what the successor goes on with. Without it the successor begins where the holder before did, or by a sweep.
func (d *Drift) leave(ctx context.Context, c app.Cluster, l left) error {
	if len(l.Versions) == 0 {
		return nil
	}
	b, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("encode watches of cluster %s: %w", c.Name, err)
	}
	if err := d.Notes.Set(ctx, leftKey(c), string(b)); err != nil {
		return fmt.Errorf("hand over watches of cluster %s: %w", c.Name, err)
	}
	return nil
}

// left reads what the last holder left; nothing when it is not known, since a sweep tells too.
func (d *Drift) left(ctx context.Context, c app.Cluster) (left, error) {
	var l left
	text, err := d.Notes.Get(ctx, leftKey(c))
	if err != nil {
		return l, fmt.Errorf("read watches of cluster %s: %w", c.Name, err)
	}
	if json.Unmarshal([]byte(text), &l) != nil {
		return left{}, nil //nolint:nilerr // damaged: as good as lost
	}
	return l, nil
}

// pause waits, and reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
