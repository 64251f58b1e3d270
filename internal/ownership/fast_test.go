package ownership

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/manifest"
)

func TestTheDigestIsReadWhereSyncWritesIt(t *testing.T) {
	if digestNote != manifest.DigestNote {
		t.Errorf("%s is not %s", digestNote, manifest.DigestNote)
	}
}

func TestFastSeesWhatAMarkSees(t *testing.T) {
	for name, change := range map[string]func(*metav1.PartialObjectMetadata){
		"another uid":        func(m *metav1.PartialObjectMetadata) { m.UID = "other" },
		"another generation": func(m *metav1.PartialObjectMetadata) { m.Generation++ },
		"another digest":     func(m *metav1.PartialObjectMetadata) { m.Annotations = map[string]string{digestNote: "sha256:0"} },
		"a deletion":         func(m *metav1.PartialObjectMetadata) { m.DeletionTimestamp = &metav1.Time{Time: time.Now()} },
		"a field that left our entry": func(m *metav1.PartialObjectMetadata) {
			for i, e := range m.ManagedFields {
				if isOurs(e) {
					m.ManagedFields[i].FieldsV1 = metav1.NewFieldsV1("{}")
				}
			}
		},
		"an entry of ours that is gone": func(m *metav1.PartialObjectMetadata) {
			m.ManagedFields = slices.DeleteFunc(m.ManagedFields, isOurs)
		},
		"an entry of another": func(m *metav1.PartialObjectMetadata) {
			m.ManagedFields = append(m.ManagedFields, entry("kubectl-edit", update, `{"f:spec":{"f:hostNetwork":{}}}`))
		},
		"an update of our name": func(m *metav1.PartialObjectMetadata) {
			m.ManagedFields = append(m.ManagedFields, entry(manager, update, `{"f:spec":{}}`))
		},
		"a subresource of another": func(m *metav1.PartialObjectMetadata) {
			e := entry("hpa", update, `{"f:spec":{"f:replicas":{}}}`)
			e.Subresource = "scale"
			m.ManagedFields = append(m.ManagedFields, e)
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := fixture(t, "slipway")
			before := Fast(m)
			change(m)
			if Fast(m) == before {
				t.Error("it is the same")
			}
		})
	}
}

func TestFastIsBlindToWhatIsNoDrift(t *testing.T) {
	for name, change := range map[string]func(*metav1.PartialObjectMetadata){
		"times": func(m *metav1.PartialObjectMetadata) {
			for i := range m.ManagedFields {
				m.ManagedFields[i].Time = &metav1.Time{Time: time.Now()}
			}
		},
		"another resourceVersion": func(m *metav1.PartialObjectMetadata) { m.ResourceVersion = "999999" },
		"the order of entries":    func(m *metav1.PartialObjectMetadata) { slices.Reverse(m.ManagedFields) },
		"a status": func(m *metav1.PartialObjectMetadata) {
			e := entry("kube-controller-manager", update, `{"f:status":{}}`)
			e.Subresource = "status"
			m.ManagedFields = append(m.ManagedFields, e)
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := fixture(t, "kubectl-edits")
			if len(m.ManagedFields) < 2 {
				t.Fatal("the fixture has one entry only")
			}
			before := Fast(m)
			change(m)
			if Fast(m) != before {
				t.Error("it differs")
			}
		})
	}
}

func TestFastNeedsNoManagedFields(t *testing.T) {
	if a, b := Fast(&metav1.PartialObjectMetadata{}), Fast(&metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{UID: "u"}}); a == b || len(a) != 22 {
		t.Error(a, b)
	}
}

// Objects are drawn from few values, so that many pairs are equal and others differ in one thing only.
func TestObjectsOfEqualFastHaveEqualMarks(t *testing.T) {
	seen := map[string]*metav1.PartialObjectMetadata{}
	random := rand.New(rand.NewPCG(4, 2)) //nolint:gosec // a test
	pairs := 0
	for range 50_000 {
		m := drawn(random)
		f := Fast(m)
		other, ok := seen[f]
		if !ok {
			seen[f] = m
			continue
		}
		pairs++
		if MarkOf(m) != MarkOf(other) {
			t.Fatalf("equal Fast, marks %v and %v of\n%v\n%v", MarkOf(m), MarkOf(other), m, other)
		}
	}
	if pairs < 1000 || len(seen) < 1000 {
		t.Errorf("%d pairs of %d: nothing is shown", pairs, len(seen))
	}
}

func drawn(r *rand.Rand) *metav1.PartialObjectMetadata {
	m := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{UID: types.UID("uid"[:1+r.IntN(2)]), Generation: r.Int64N(2)}}
	for range r.IntN(4) {
		e := entry([]string{manager, "a", "ab"}[r.IntN(3)], apply, []string{"", "{}", `{"f:b":{}}`, `{"f:b":{"f:c":{}}}`}[r.IntN(4)])
		if r.IntN(2) == 0 {
			e.Operation = update
		}
		e.Subresource = []string{"", "status", "b"}[r.IntN(3)]
		e.APIVersion = []string{"v1", "1", "bv1"}[r.IntN(3)]
		if r.IntN(4) == 0 {
			e.FieldsV1 = nil
		}
		m.ManagedFields = append(m.ManagedFields, e)
	}
	return m
}

// BenchmarkFast hashes 10,000 Deployments, as a sweep does.
func BenchmarkFast(b *testing.B) {
	const objects = 10_000
	fields := []string{}
	for i := range 40 {
		fields = append(fields, fmt.Sprintf(`"f:field%02d":{"f:nested":{},"f:other":{}}`, i))
	}
	raw := "{" + strings.Join(fields, ",") + "}"
	all := make([]metav1.PartialObjectMetadata, objects)
	for i := range all {
		status := entry("kube-controller-manager", update, raw[:600])
		status.Subresource = "status"
		all[i].UID = types.UID(fmt.Sprint(i))
		all[i].ManagedFields = []metav1.ManagedFieldsEntry{entry(manager, apply, raw), status}
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range all {
			Fast(&all[i])
		}
	}
}
