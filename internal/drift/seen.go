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

// glance is as little of an object as tells whether somebody was there.
type glance struct {
	fast        string // ownership.Fast: equal to the last sweep's, and the mark need not be worked out again
	application string // by annotation
	mark        ownership.Mark
	foreign     bool // others have added fields
	strict      bool // which it does not want
	deleting    bool
}

type glances map[schema.GroupKind]map[place]glance

// seen is what a LIST showed of what is ours.
type seen struct {
	before glances // by the sweep before; read only

	mu       sync.Mutex
	kinds    glances
	versions map[schema.GroupKind]string
}

func newSeen(before glances) *seen {
	return &seen{before: before, kinds: glances{}, versions: map[schema.GroupKind]string{}}
}

// page takes a page of a kind. One under another version than the pages before replaces them: the kind's LIST has
// started again.
func (s *seen) page(kind schema.GroupKind, version string, items []metav1.PartialObjectMetadata) error {
	s.mu.Lock()
	if s.kinds[kind] == nil || s.versions[kind] != version {
		s.kinds[kind], s.versions[kind] = make(map[place]glance, len(s.before[kind])), version
	}
	found := s.kinds[kind] // pages of one kind come one after the other
	s.mu.Unlock()
	before := s.before[kind]
	for i := range items {
		m := &items[i]
		fast := ownership.Fast(m)
		at := place{m.Namespace, m.Name}
		if g, ok := before[at]; ok && g.fast == fast {
			found[place{strings.Clone(m.Namespace), strings.Clone(m.Name)}] = g
			continue
		}
		if !ownership.Owns(m) { // a copy of our label: a Service's goes to its EndpointSlices
			continue
		}
		mark := ownership.MarkOf(m)
		mark.UID = strings.Clone(mark.UID)
		found[place{strings.Clone(m.Namespace), strings.Clone(m.Name)}] = glance{
			fast: fast, application: strings.Clone(m.Annotations[manifest.ApplicationNote]), mark: mark,
			foreign: len(ownership.Foreign(m.ManagedFields)) > 0, strict: m.Annotations[strictNote] == "true", deleting: m.DeletionTimestamp != nil,
		}
	}
	return nil
}

func (s *seen) of(id manifest.ID) (glance, bool) {
	g, ok := s.kinds[id.GroupKind()][place{id.Namespace, id.Name}]
	return g, ok
}

func (s *seen) all() iter.Seq2[manifest.ID, glance] {
	return func(yield func(manifest.ID, glance) bool) {
		for gk, objects := range s.kinds {
			for at, g := range objects {
				if !yield(manifest.ID{Group: gk.Group, Kind: gk.Kind, Namespace: at.namespace, Name: at.name}, g) {
					return
				}
			}
		}
	}
}
