package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// parallel bounds the requests of one run that are under way at once (argo-cd's kubectl parallelism is 20 over all
// applications; one run is one of many).
const parallel = 8

// shown bounds how many refusals one error names.
const shown = 10

// try sends, as a dry run, what will be sent: an object that the API server refuses stops the run before its first write,
// with every refusal named. What needs a namespace or a CRD of the same set cannot be tried. It also finds the objects that
// exist without being ours: a creation answers 409 for them.
func (r *run) try(ctx context.Context, want *desired, p *plan) error {
	absent, err := r.absentNamespace(ctx, want, p)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	refused := map[*step]error{}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, s := range p.send {
		if want.crdOf(s.id) || want.namespaces[s.id.Namespace] || s.id.Namespace != "" && s.id.Namespace == absent {
			continue
		}
		g.Go(func() error {
			err := r.tryOne(gctx, want.cluster, s)
			if fault.Is(err, fault.Invalid) || fault.Is(err, fault.NotFound) {
				mu.Lock()
				defer mu.Unlock()
				refused[s] = err
				return nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("dry run of %s: %w", r.name, err)
	}
	return refusal(p.send, refused)
}

// tryOne carries no precondition for an object that exists: a dry run writes nothing, and controllers raise its
// resourceVersion all the time.
func (r *run) tryOne(ctx context.Context, c Cluster, s *step) error {
	if s.live == nil && !s.contact {
		_, _, err := c.Apply(ctx, created(s.Unstructured), true)
		if !fault.Is(err, fault.Conflict) {
			return err
		}
		s.contact = true
	}
	if s.contact {
		if err := r.meet(ctx, c, s); err != nil {
			return err
		}
	}
	_, _, err := c.Apply(ctx, s.DeepCopy(), true)
	return err
}

// meet looks at an object that exists without being in the list of ours, and refuses one that another application holds
// (security P5). One that we hold after all, with its label removed by somebody, is taken as it is.
func (r *run) meet(ctx context.Context, c Cluster, s *step) error {
	u, err := c.Get(ctx, s.id)
	if fault.Is(err, fault.NotFound) {
		s.live, s.contact = nil, false
		return nil
	}
	if err != nil {
		return fmt.Errorf("get %s: %w", s.id, err)
	}
	m := metadataOf(u)
	if other := m.Annotations[manifest.ApplicationNote]; ownership.Owns(m) && other != "" && other != string(r.name) {
		return fault.New(fault.Invalid, "adopt %s: it belongs to application %s", s.id, other)
	}
	s.live = m
	return nil
}

// refusal is one error for all that was refused, in the order of apply, each with its file.
func refusal(order []*step, refused map[*step]error) error {
	var lines []string
	for _, s := range order {
		if err := refused[s]; err != nil {
			lines = append(lines, fmt.Sprintf("%s: %v", s.File, err))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	more := ""
	if len(lines) > shown {
		lines, more = lines[:shown], fmt.Sprintf("\nand %d more", len(lines)-shown)
	}
	return fault.Wrap(fault.Invalid, errors.New(strings.Join(lines, "\n")+more))
}

// absentNamespace is the destination's namespace if it is not there and will be created by this run.
func (r *run) absentNamespace(ctx context.Context, want *desired, p *plan) (string, error) {
	ns := want.application.Destination.Namespace
	if !want.application.Sync.CreateNamespace || ns == "" || want.namespaces[ns] {
		return "", nil
	}
	used := false
	for _, s := range p.send {
		used = used || s.id.Namespace == ns
	}
	for id := range p.live.ours {
		used = used && id.Namespace != ns // something of ours lives there already
	}
	if !used {
		return "", nil
	}
	_, err := want.cluster.Get(ctx, manifest.ID{Kind: "Namespace", Name: ns})
	if fault.Is(err, fault.NotFound) {
		return ns, nil
	}
	if err != nil {
		return "", fmt.Errorf("get namespace %s: %w", ns, err)
	}
	return "", nil
}

func (w *desired) crdOf(id manifest.ID) bool { _, ok := w.crds[id.GroupKind()]; return ok }

// created is the object as its creation sends it: resourceVersion "1" and no uid make a missing object with Apply
// ownership and answer 409 for one that exists (design.md 2, checked on 1.36.3).
func created(u *unstructured.Unstructured) *unstructured.Unstructured {
	c := u.DeepCopy()
	c.SetUID("")
	c.SetResourceVersion("1")
	return c
}
