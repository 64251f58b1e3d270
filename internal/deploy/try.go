package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// parallel bounds the requests of one run that are under way at once (argo-cd's kubectl parallelism is 20 over all
// applications; one run is one of many).
const parallel = 8

// shown bounds how many refusals one error names.
const shown = 10

// try sends, as a dry run, what will be sent: an object that the API server refuses stops the run before its first write,
// with every refusal named. What needs a namespace that this run makes, or a CRD that it sends, cannot be tried. It also
// finds the objects that exist without being ours: a creation answers 409 for them.
func (r *run) try(ctx context.Context, want *desired, p *plan) error {
	absent, err := r.absentNamespace(ctx, want, p)
	if err != nil {
		return err
	}
	refused := map[*step]error{}
	var holders, rest []*step
	for _, s := range p.send {
		if _, crd := definitionOf(s.Unstructured); crd || isNamespace(s.id) {
			holders = append(holders, s)
		} else {
			rest = append(rest, s)
		}
	}
	if err := r.tryAll(ctx, want, holders, refused); err != nil {
		return err
	}
	made, changed := map[string]bool{absent: absent != ""}, map[schema.GroupKind]bool{}
	for _, s := range holders {
		if d, ok := definitionOf(s.Unstructured); ok {
			changed[d.kind] = true
		} else if s.live == nil { // its creation was tried, and it is not there
			made[s.id.Name] = true
		}
	}
	triable := rest[:0:0]
	for _, s := range rest {
		if !made[s.id.Namespace] && !changed[s.id.GroupKind()] {
			triable = append(triable, s)
		}
	}
	if err := r.tryAll(ctx, want, triable, refused); err != nil {
		return err
	}
	if err := r.met(ctx, p); err != nil {
		return err
	}
	return refusal(p.send, refused)
}

// met reads the record again if an object was read after it: of one that was not in the LIST, uid and resourceVersion may
// be those of a newer run, which its own write would not refuse (rules 10 and 12).
func (r *run) met(ctx context.Context, p *plan) error {
	if slices.ContainsFunc(p.send, func(s *step) bool { return s.contact || s.sent != nil }) {
		return r.holds(ctx)
	}
	return nil
}

// tryAll adds to refused what the API server will not have; every other error ends it.
func (r *run) tryAll(ctx context.Context, want *desired, steps []*step, refused map[*step]error) error {
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for _, s := range steps {
		g.Go(func() error {
			err := r.tryOne(ctx, want, s)
			if fault.Is(err, fault.Invalid) || fault.Is(err, fault.NotFound) {
				mu.Lock()
				defer mu.Unlock()
				refused[s] = err
				return nil
			}
			if err != nil {
				return fmt.Errorf("%s: %w", s.File, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("dry run of %s: %w", r.name, err)
	}
	return nil
}

// tryOne carries no precondition for an object that exists: a dry run writes nothing, and controllers raise its
// resourceVersion all the time.
func (r *run) tryOne(ctx context.Context, want *desired, s *step) error {
	c := want.cluster
	if s.live == nil && !s.contact {
		_, _, err := c.Apply(ctx, created(s.Unstructured), true)
		if !fault.Is(err, fault.Conflict) {
			return err
		}
		s.contact = true
	}
	if _, err := r.read(ctx, want, s); err != nil {
		return err
	}
	_, _, err := c.Apply(ctx, s.object(), true)
	return err
}

// read looks at an object that is not ours yet, or of which something may stay as it is live.
func (r *run) read(ctx context.Context, want *desired, s *step) (did bool, err error) {
	if s.sent != nil || s.live == nil && !s.contact {
		return false, nil
	}
	if !s.contact {
		stays, err := want.stays(ctx, s.item, s.live.ManagedFields)
		if err != nil || !stays {
			return false, err
		}
	}
	return true, r.meet(ctx, want.cluster, s)
}

// refusal is one error for all that was refused, in the order of apply, each with its file. A kind or namespace that is
// not there may come without a new commit, so NotFound is not final; Invalid is.
func refusal(order []*step, refused map[*step]error) error {
	var lines []string
	kind := fault.NotFound
	for _, s := range order {
		if err := refused[s]; err != nil {
			lines = append(lines, fmt.Sprintf("%s: %v", s.File, err))
			if !fault.Is(err, fault.NotFound) {
				kind = fault.Invalid
			}
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return fault.Wrap(kind, errors.New(listed(lines)))
}

// listed is the first of lines and how many more there are.
func listed(lines []string) string {
	if len(lines) <= shown {
		return strings.Join(lines, "\n")
	}
	return fmt.Sprintf("%s\nand %d more", strings.Join(lines[:shown], "\n"), len(lines)-shown)
}

func isNamespace(id manifest.ID) bool { return id.Group == "" && id.Kind == "Namespace" }

// definition is what a CRD makes known.
type definition struct {
	kind       schema.GroupKind
	namespaced bool
}

// definitionOf reads a CRD; false if u is none.
func definitionOf(u *unstructured.Unstructured) (definition, bool) {
	if id := manifest.IDOf(u); id.Group != "apiextensions.k8s.io" || id.Kind != "CustomResourceDefinition" {
		return definition{}, false
	}
	group, _, _ := unstructured.NestedString(u.Object, "spec", "group")
	kind, _, _ := unstructured.NestedString(u.Object, "spec", "names", "kind")
	scope, _, _ := unstructured.NestedString(u.Object, "spec", "scope")
	return definition{schema.GroupKind{Group: group, Kind: kind}, scope == "Namespaced"}, true
}
