package drive

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"sync"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// memory is an API server for what a rollout reads and writes: uid and resourceVersion are held, a merge patch is merged
// by the library that the API server uses, the status is a subresource of Rollouts, and every change of anything but
// metadata and status raises the generation.
type memory struct {
	mu      sync.Mutex
	objects map[manifest.ID]*unstructured.Unstructured
	version int
	told    map[schema.GroupKind][]func() // who is told of changes
	// around is called in place of each request of the code under test.
	around func(op string, id manifest.ID, call func() error) error
	// watch is told of each write of the code under test; old is nil for a creation, u for a deletion.
	watch func(old, u *unstructured.Unstructured)
}

func newMemory() *memory {
	return &memory{objects: map[manifest.ID]*unstructured.Unstructured{}}
}

var _ Cluster = (*memory)(nil)

func (m *memory) do(ctx context.Context, op string, id manifest.ID, effect func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	call := func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		return effect()
	}
	if m.around == nil {
		return call()
	}
	return m.around(op, id, call)
}

func (m *memory) Get(ctx context.Context, id manifest.ID) (out *unstructured.Unstructured, err error) {
	err = m.do(ctx, "get", id, func() error {
		out = m.objects[id].DeepCopy()
		if out == nil {
			return fault.New(fault.NotFound, "%s is not there", id)
		}
		return nil
	})
	return out, err
}

func (m *memory) All(ctx context.Context, gk schema.GroupKind, namespace, selector string) (out []unstructured.Unstructured, err error) {
	match, err := labels.Parse(selector)
	if err != nil {
		return nil, err
	}
	err = m.do(ctx, "list", manifest.ID{Group: gk.Group, Kind: gk.Kind}, func() error {
		for _, id := range slices.SortedFunc(maps.Keys(m.objects), func(a, b manifest.ID) int { return compare(a.String(), b.String()) }) {
			u := m.objects[id]
			if id.GroupKind() == gk && (namespace == "" || id.Namespace == namespace) && match.Matches(labels.Set(u.GetLabels())) {
				out = append(out, *u.DeepCopy())
			}
		}
		return nil
	})
	return out, err
}

func compare(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

func (m *memory) Create(ctx context.Context, u *unstructured.Unstructured) (out *unstructured.Unstructured, err error) {
	id := manifest.IDOf(u)
	err = m.do(ctx, "create", id, func() error {
		if m.objects[id] != nil {
			return fault.New(fault.Conflict, "%s exists", id)
		}
		out = m.put(nil, u.DeepCopy()).DeepCopy()
		m.wrote(nil, out)
		return nil
	})
	return out, err
}

// put stores u in place of old.
func (m *memory) put(old, u *unstructured.Unstructured) *unstructured.Unstructured {
	if old != nil && reflect.DeepEqual(old.Object, u.Object) {
		return old
	}
	m.version++
	u.SetResourceVersion(strconv.Itoa(m.version))
	switch {
	case old == nil:
		u.SetUID(types.UID(fmt.Sprint("uid-", m.version)))
		u.SetCreationTimestamp(metav1.Now())
		u.SetGeneration(1)
	case !reflect.DeepEqual(intent(old), intent(u)):
		u.SetGeneration(old.GetGeneration() + 1)
	}
	id := manifest.IDOf(u)
	m.objects[id] = u
	for _, changed := range m.told[id.GroupKind()] {
		changed()
	}
	return u
}

// Changes tells of every change of the kind, whatever the selector.
func (m *memory) Changes(ctx context.Context, gk schema.GroupKind, _ string, changed func()) error {
	err := m.do(ctx, "watch", manifest.ID{Group: gk.Group, Kind: gk.Kind}, func() error {
		if m.told == nil {
			m.told = map[schema.GroupKind][]func(){}
		}
		m.told[gk] = append(m.told[gk], changed)
		return nil
	})
	if err != nil {
		return err
	}
	changed()
	<-ctx.Done()
	return nil
}

func (m *memory) wrote(old, u *unstructured.Unstructured) {
	if m.watch != nil {
		m.watch(old, u)
	}
}

func intent(u *unstructured.Unstructured) map[string]any {
	out := maps.Clone(u.Object)
	delete(out, "metadata")
	delete(out, "status")
	return out
}

// meant is the object that a request means.
func (m *memory) meant(id manifest.ID, uid types.UID, version string) (*unstructured.Unstructured, error) {
	old := m.objects[id]
	switch {
	case old == nil:
		return nil, fault.New(fault.NotFound, "%s is not there", id)
	case uid == "" || version == "":
		return nil, fault.New(fault.Internal, "%s: a write without a condition", id)
	case old.GetUID() != uid || old.GetResourceVersion() != version:
		return nil, fault.New(fault.Conflict, "%s: the object has been modified", id)
	}
	return old, nil
}

func (m *memory) Merge(ctx context.Context, id manifest.ID, uid types.UID, version, subresource string, patch []byte) (out *unstructured.Unstructured, err error) {
	err = m.do(ctx, "merge", id, func() error {
		old, err := m.meant(id, uid, version)
		if err != nil {
			return err
		}
		u, err := merged(old, patch)
		if err != nil {
			return err
		}
		if id.Kind == "Rollout" {
			if subresource == "status" {
				status := u.Object["status"]
				u = old.DeepCopy()
				u.Object["status"] = status
			} else {
				u.Object["status"] = old.Object["status"]
			}
			if u.Object["status"] == nil {
				delete(u.Object, "status")
			}
		}
		out = m.put(old, u).DeepCopy()
		m.wrote(old, out)
		return nil
	})
	return out, err
}

func merged(old *unstructured.Unstructured, patch []byte) (*unstructured.Unstructured, error) {
	before, err := json.Marshal(old.Object)
	if err != nil {
		return nil, err
	}
	after, err := jsonpatch.MergePatch(before, patch)
	if err != nil {
		return nil, err
	}
	u := &unstructured.Unstructured{}
	return u, u.UnmarshalJSON(after)
}

func (m *memory) Remove(ctx context.Context, id manifest.ID, uid types.UID, version string) error {
	return m.do(ctx, "remove", id, func() error {
		old, err := m.meant(id, uid, version)
		if err != nil {
			return err
		}
		delete(m.objects, id)
		m.wrote(old, nil)
		return nil
	})
}

func (m *memory) Evict(ctx context.Context, namespace, pod string, uid types.UID) error {
	id := manifest.ID{Kind: "Pod", Namespace: namespace, Name: pod}
	return m.do(ctx, "evict", id, func() error {
		if u := m.objects[id]; u == nil || u.GetUID() != uid {
			return fault.New(fault.NotFound, "%s is not there", id)
		}
		delete(m.objects, id)
		return nil
	})
}

// live is an object as it is; nil if it is not there.
func (m *memory) live(id manifest.ID) *unstructured.Unstructured {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.objects[id].DeepCopy()
}

// edit is somebody's merge patch without a condition, such as kubectl's.
func (m *memory) edit(id manifest.ID, patch string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.objects[id]
	if old == nil {
		return
	}
	u, err := merged(old, []byte(patch))
	if err != nil {
		panic(err)
	}
	m.put(old, u)
}
