package drift

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// WatchLimit is the longest that one run watches a cluster; a successor is due every minute, and asks before (design.md 3).
const WatchLimit = 150 * time.Second

// Watch heals within a second of an edit: it holds a metadata watch of each kind, from where the run before it stopped,
// and judges each object that changes. It sweeps once as well, which finds what no watch has told of and where to begin
// if that is not known. It ends in order when ctx or limit does or a successor asks for the lease, and hands over.
//
// A cluster whose lease cannot be had is swept and no more, as in sweep mode.
func (d *Drift) Watch(ctx context.Context, c app.Cluster, limit time.Duration) (Report, error) {
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end)-leaveTime)
	}
	cluster, err := d.Connect(ctx, c)
	if err != nil {
		return Report{Cluster: c.Name}, fmt.Errorf("connect to cluster %s: %w", c.Name, err)
	}
	end := time.Now().Add(limit)
	fence, leaseErr := d.takeLease(ctx, c, end)
	if leaseErr != nil {
		rep, err := d.Sweep(ctx, c)
		if fault.Is(leaseErr, fault.Busy) { // the holder has died, and will be out of the way
			rep.Fallback, leaseErr = leaseErr.Error(), nil
		}
		return rep, errors.Join(leaseErr, err)
	}
	w := &watch{
		Drift: d, cluster: c, connection: cluster, fence: fence, changed: newChanged(), seen: map[schema.GroupKind]*followed{},
		names: map[string]app.Name{}, fine: map[manifest.ID]ownership.Mark{}, open: map[manifest.ID]ownership.Mark{},
		report: Report{Cluster: c.Name}, failed: map[string]error{}, sweepAt: make(chan struct{}, 1),
	}
	stop, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	begin := time.Now()
	err = w.run(ctx, stop, cancel)
	if err = errors.Join(err, w.errors()); ctx.Err() != nil {
		err = nil // it was to end
	}
	w.report.Milliseconds = time.Since(begin).Milliseconds()
	w.report.sort()
	return w.report, errors.Join(err, d.handOver(ctx, c, fence, w.leaves()))
}

// watch is one holder of a cluster's lease.
type watch struct {
	*Drift
	cluster    app.Cluster
	connection Cluster
	fence      uint64
	changed    *changed
	sweepAt    chan struct{} // a sweep is wanted

	mu        sync.Mutex
	report    Report
	failed    map[string]error // what has failed and did not go well since: an application, the sweep, the records
	seen      map[schema.GroupKind]*followed
	names     map[string]app.Name            // by label
	strange   []sighting                     // of applications that are newer than names
	fine      map[manifest.ID]ownership.Mark // known to be as the inventory has them
	open      map[manifest.ID]ownership.Mark // judged at this mark and left as they are: fought over, or not to be healed
	followers sync.WaitGroup
}

// run ends when stop does. What is being judged by then is finished under ctx: a write that is cut off makes the next
// sync touch everything.
func (w *watch) run(ctx, stop context.Context, cancel context.CancelFunc) error {
	defer w.followers.Wait()
	defer cancel() // before that
	left, err := w.left(ctx, w.cluster)
	if err != nil {
		return err
	}
	kinds, err := w.refresh(ctx)
	if err != nil {
		return err
	}
	for _, gk := range kinds {
		if version := left.Versions[gk.String()]; version != "" {
			w.follow(stop, gk, version)
		}
	}
	for name, ids := range left.Waiting {
		w.changed.find(name, work{ids: ids})
	}
	var g sync.WaitGroup
	defer g.Wait()
	g.Go(func() { w.judge(ctx, stop) })
	g.Go(func() { w.tend(ctx, stop) })
	w.wantSweep()
	for stop.Err() == nil {
		if asked, held, err := w.asked(stop, w.cluster, w.fence); err == nil && (asked || !held) { // an error: the next beat asks again
			cancel()
		}
		pause(stop, leaseBeat)
	}
	return nil
}

// event notes an object that changed. It must not wait: the watch does.
func (w *watch) event(e manifest.Event) error {
	m := &e.Object
	if e.Type == manifest.Bookmark || metav1.GetControllerOfNoCopy(m) != nil {
		return nil // nothing happened, or a copy of our label: a Service's go to its EndpointSlices
	}
	mark := ownership.Mark{}
	if e.Type != manifest.Deleted && m.DeletionTimestamp == nil && ownership.Owns(m) {
		mark = ownership.MarkOf(m)
	}
	kind := m.GroupVersionKind()
	s := sighting{
		id:    manifest.ID{Group: kind.Group, Kind: kind.Kind, Namespace: m.Namespace, Name: m.Name},
		label: m.Labels[manifest.Label], noted: m.Annotations[manifest.ApplicationNote], mark: mark,
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.report.Events++
	if !w.note(s) && len(w.strange) < knownCap {
		w.strange = append(w.strange, s)
	}
	return nil
}

// sighting is what an event tells of an object.
type sighting struct {
	id           manifest.ID
	label, noted string
	mark         ownership.Mark // zero: it is gone, or not ours any more
}

// note puts a sighting to those to be judged unless it is as it should be, under the application that it names by label
// and by annotation, of which somebody may have edited one. False: no application is known by them.
func (w *watch) note(s sighting) (known bool) {
	for i, label := range []string{s.label, manifest.LabelFor(s.noted)} {
		name, ok := w.names[label]
		if !ok || i > 0 && label == s.label {
			continue
		}
		known = true
		if s.mark.UID != "" && w.isFine(name, s.id, s.mark) {
			continue
		}
		w.fine[s.id] = ownership.Mark{} // until it was looked at, also if it becomes as it was
		if was, open := w.open[s.id]; open && was == s.mark {
			w.changed.later(name, s.id, time.Now().Add(againSame))
			continue
		}
		w.changed.note(name, s.id, s.mark)
	}
	return known
}

// isFine reports whether an object is known to be as it should be at this mark: most changes are of a status, and cost
// nothing.
func (w *watch) isFine(name app.Name, id manifest.ID, m ownership.Mark) bool {
	if was, ok := w.fine[id]; ok {
		return was == m
	}
	return w.kept.fits(w.cluster.Name, name, id, m)
}
