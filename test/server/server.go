// Package server is an API server in memory: what deploy, drift and the simulation run against a thousand times where a
// real one would take hours. Who owns which field is decided by Kubernetes' own field managers under Kubernetes' own
// schemas, and the contract (contract_test.go) holds it to what a real server answers. It is narrower where that costs
// nothing: no admission but Refuse, no defaults, no controllers (a foreground deletion is done at once), no need of a
// namespace for what is in it. Only tests import it.
package server

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"

	"slipway/internal/manifest"
)

// Server has the methods of kube.Cluster that the core packages ask for, with their contracts, and more to disturb it by.
// It is safe for concurrent use. Its objects are never changed in place.
type Server struct {
	mu       sync.Mutex
	objects  map[manifest.ID]*unstructured.Unstructured
	managers map[schema.GroupVersionKind]*managedfields.FieldManager
	version  int // the newest resourceVersion; one counter for all, as in etcd

	writes   []Write
	requests []string

	around  func(op string, call func() error) error
	refused map[manifest.ID]error
	failing map[schema.GroupKind]error
	unknown map[string]bool
	warning []string

	changes []change
	dropped int           // no watch begins before this version
	cuts    int           // how often all watches were cut
	changed chan struct{} // closed at the next change
}

// Write is one that took effect.
type Write struct {
	Op    string // apply, adopt, patch, delete, namespace
	ID    manifest.ID
	Fence string // that an apply carried
}

// String is such as "apply ConfigMap/a".
func (w Write) String() string { return w.Op + " " + w.ID.Kind + "/" + w.ID.Name }

// New is a server without objects. Its first version is 1, since 0 means any to a watch.
func New() *Server {
	return &Server{
		version:  1,
		objects:  map[manifest.ID]*unstructured.Unstructured{},
		managers: map[schema.GroupVersionKind]*managedfields.FieldManager{},
		refused:  map[manifest.ID]error{},
		failing:  map[schema.GroupKind]error{},
		unknown:  map[string]bool{},
		changed:  make(chan struct{}),
	}
}

// Around replaces what is called in place of each request that begins from now on; nil: nothing. op is get, list, sweep
// (once a kind), watch, target, established, apply, try (a dry run), adopt, patch, delete or namespace.
func (s *Server) Around(around func(op string, call func() error) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.around = around
}

// Once sets what happens just before the first request of an op, whoever sends it, in place of what is around it.
func (s *Server) Once(op string, do func()) {
	var first sync.Once
	s.Around(func(got string, call func() error) error {
		if got == op {
			first.Do(func() { s.Around(nil); do() })
		}
		return call()
	})
}

type undisturbed struct{}

// Undisturbed keeps the requests of a context from what Around has set.
func Undisturbed(ctx context.Context) context.Context {
	return context.WithValue(ctx, undisturbed{}, true)
}

// Refuse makes every write to an object answer err, dry runs too; nil ends that.
func (s *Server) Refuse(id manifest.ID, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[id] = err
}

// FailKind makes a sweep's and a watch's request for a kind answer err; nil ends that.
func (s *Server) FailKind(gk schema.GroupKind, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing[gk] = err
}

// Serve says whether a kind, by its name without group, is served. At first all but "Unknown" are.
func (s *Server) Serve(kind string, served bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unknown[kind] = !served
}

// Warn is what each apply warns of from now on.
func (s *Server) Warn(texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.warning = texts
}

// do is one request: it takes effect at one instant, as long as its context has not ended.
func (s *Server) do(ctx context.Context, op string, effect func() error) error {
	s.mu.Lock()
	s.requests = append(s.requests, op)
	around := s.around
	s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	call := func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		return effect()
	}
	if around == nil || ctx.Value(undisturbed{}) != nil {
		return call()
	}
	return around(op, call)
}

func (s *Server) next() string {
	s.version++
	return strconv.Itoa(s.version)
}

// Live is an object as it is, nil if it is not there.
func (s *Server) Live(id manifest.ID) *unstructured.Unstructured {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[id].DeepCopy()
}

// Objects is every object as it is.
func (s *Server) Objects() map[manifest.ID]*unstructured.Unstructured {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[manifest.ID]*unstructured.Unstructured{}
	for id, u := range s.objects {
		all[id] = u.DeepCopy()
	}
	return all
}

// Writes is what has been written through requests since the last Take, in order.
func (s *Server) Writes() []Write {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.writes)
}

// Requests is the op of every request since the last Take.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Count is how many requests of an op there were since the last Take.
func (s *Server) Count(op string) (n int) {
	for _, r := range s.Requests() {
		if r == op {
			n++
		}
	}
	return n
}

// Take is what has been written since the last Take as text, nil if nothing was, and begins anew.
func (s *Server) Take() (writes []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.writes {
		writes = append(writes, w.String())
	}
	s.writes, s.requests = nil, nil
	return writes
}
