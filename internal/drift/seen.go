package drift

import (
	"iter"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// place is an object's name within its kind.
type place struct{ namespace, name string }

// glance is as little of an object as tells whether somebody was there. It never changes, so sweeps share it.
type glance struct {
	at          place
	version     string // resourceVersion: equal to the last sweep's, and nothing at all has changed
	fast        string // ownership.Fast: equal to the last sweep's, and the mark need not be worked out again
	application string // by annotation
	mark        ownership.Mark
	foreign     bool // others have added fields
	strict      bool // which it does not want
	deleting    bool
	sweep       uint64 // the one that took it
}

type glances map[schema.GroupKind]map[place]*glance

// seen is what a LIST showed of what is ours.
type seen struct {
	before glances // by the sweep before; read only
	sweep  uint64

	mu       sync.Mutex
	kinds    glances
	versions map[schema.GroupKind]string
}

func newSeen(before glances, sweep uint64) *seen {
	return &seen{before: before, sweep: sweep, kinds: glances{}, versions: map[schema.GroupKind]string{}}
}

// page takes a page of a kind. One under another version than the pages before replaces them: the kind's LIST has
// started again.
func (s *seen) page(kind schema.GroupKind, version string, items []metav1.PartialObjectMetadata) error {
	s.mu.Lock()
	if s.kinds[kind] == nil || s.versions[kind] != version {
		s.kinds[kind], s.versions[kind] = make(map[place]*glance, len(s.before[kind])), version
	}
	found := s.kinds[kind] // pages of one kind come one after the other
	s.mu.Unlock()
	before := s.before[kind]
	last := &glance{}
	for i := range items {
		m := &items[i]
		was := before[place{m.Namespace, m.Name}]
		if was.is(string(m.UID), m.ResourceVersion) {
			found[was.at], last = was, was
			continue
		}
		fast := ownership.Fast(m)
		if was != nil && was.fast == fast {
			g := *was
			g.version, g.deleting = strings.Clone(m.ResourceVersion), m.DeletionTimestamp != nil
			g.application = shared(was.application, m.Annotations[manifest.ApplicationNote])
			g.strict = m.Annotations[strictNote] == "true"
			found[g.at], last = &g, &g
			continue
		}
		if !ownership.Owns(m) { // a copy of our label: a Service's goes to its EndpointSlices
			continue
		}
		mark := ownership.MarkOf(m)
		mark.UID = strings.Clone(mark.UID)
		g := &glance{
			at:      place{shared(last.at.namespace, m.Namespace), strings.Clone(m.Name)},
			version: strings.Clone(m.ResourceVersion), fast: fast, application: shared(last.application, m.Annotations[manifest.ApplicationNote]), mark: mark,
			foreign: len(ownership.Foreign(m.ManagedFields)) > 0, strict: m.Annotations[strictNote] == "true",
			deleting: m.DeletionTimestamp != nil, sweep: s.sweep,
		}
		found[g.at], last = g, g
	}
	return nil
}

// known reports whether the sweep before has seen an object as it is.
func (s *seen) known(kind schema.GroupKind, namespace, name, uid, version string) bool {
	return s.before[kind][place{namespace, name}].is(uid, version)
}

// is reports whether g was taken of the object at this resourceVersion, which is another after each write.
func (g *glance) is(uid, version string) bool {
	return g != nil && g.version == version && g.mark.UID == uid
}

// shared is a copy of s, and the one that is there if that is equal: neighbours in a LIST have much in common.
func shared(there, s string) string {
	if there == s {
		return there
	}
	return strings.Clone(s)
}

func (s *seen) of(id manifest.ID) (*glance, bool) {
	g, ok := s.kinds[id.GroupKind()][place{id.Namespace, id.Name}]
	return g, ok
}

// tally is an application's objects in a LIST, and how many of them the sweep before has seen in the same state.
type tally struct{ objects, untouched int }

func (s *seen) tallies() map[string]tally {
	out := map[string]tally{}
	for _, objects := range s.kinds {
		for _, g := range objects {
			t := out[g.application]
			t.objects++
			if g.sweep != s.sweep {
				t.untouched++
			}
			out[g.application] = t
		}
	}
	return out
}

func (s *seen) all() iter.Seq2[manifest.ID, *glance] {
	return func(yield func(manifest.ID, *glance) bool) {
		for gk, objects := range s.kinds {
			for at, g := range objects {
				if !yield(manifest.ID{Group: gk.Group, Kind: gk.Kind, Namespace: at.namespace, Name: at.name}, g) {
					return
				}
			}
		}
	}
}
