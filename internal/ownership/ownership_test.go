package ownership

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway/internal/manifest"
)

func TestTheNamesAreThoseOfManifest(t *testing.T) {
	if manager != manifest.Manager || label != manifest.Label {
		t.Errorf("%s and %s, manifest has %s and %s", manager, label, manifest.Manager, manifest.Label)
	}
}

func TestAnObjectIsOursOnlyIfOurAppliesOwnItsLabel(t *testing.T) {
	for name, want := range map[string]bool{
		"slipway": true, "kubectl-apply-onto-ours": true, "kubectl-edits-adopted": true, "before-first-apply": true,
		"kubectl-create": false, "argocd-server-side": false, "kubectl-edits": false,
	} {
		if got := Owns(fixture(t, name)); got != want {
			t.Errorf("%s: ours is %v, want %v", name, got, want)
		}
	}
	for name, entries := range map[string][]metav1.ManagedFieldsEntry{
		"no entries":               nil,
		"the label is another's":   {entry("kubectl-label", update, `{`+ourLabel+`}`), entry("slipway", apply, `{"f:data":{}}`)},
		"an update in our name":    {entry("slipway", update, `{`+ourLabel+`}`)},
		"our other manager":        {entry("slipway-rollout", apply, `{`+ourLabel+`}`)},
		"the name is a data key":   {entry("slipway", apply, `{"f:data":{"f:slipway.dev/application":{}}}`)},
		"the annotation only":      {entry("slipway", apply, `{"f:metadata":{"f:annotations":{"f:slipway.dev/application":{}}}}`)},
		"our entry of subresource": {{Manager: "slipway", Operation: apply, Subresource: "scale", FieldsV1: raw(`{` + ourLabel + `}`)}},
		"no fields":                {{Manager: "slipway", Operation: apply}},
	} {
		if Owns(&metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{ManagedFields: entries}}) {
			t.Errorf("%s: counts as ours", name)
		}
	}
	if Owns(nil) {
		t.Error("nothing is ours")
	}
}

func TestAnEndpointSliceThatCopiesOurLabelIsNotOurs(t *testing.T) {
	m := fixture(t, "endpointslice")
	if m.Labels[label] == "" {
		t.Fatal("the fixture does not have our label, so it shows nothing")
	}
	if Owns(m) {
		t.Error("counts as ours")
	}
	m.ManagedFields = fixture(t, "slipway").ManagedFields
	if Owns(m) {
		t.Error("an object that a controller owns counts as ours because of our entry")
	}
	m.OwnerReferences[0].Controller = nil
	if !Owns(m) {
		t.Error("a mere owner makes it not ours")
	}
}

func TestMarksTellWhatHappenedToAnObject(t *testing.T) {
	base := func() *metav1.PartialObjectMetadata {
		return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{UID: "u1", Generation: 3, ManagedFields: []metav1.ManagedFieldsEntry{
			entry("slipway", apply, `{"f:data":{"f:a":{},"f:b":{}}}`),
			entry("hpa", update, `{"f:spec":{"f:replicas":{}}}`),
			{Manager: "controller", Operation: update, APIVersion: "v1", Subresource: "status", FieldsV1: raw(`{"f:status":{}}`)},
		}}}
	}
	was := MarkOf(base())
	for _, tt := range []struct {
		name                       string
		do                         func(*metav1.PartialObjectMetadata)
		uid, entry, others, number bool // what differs
	}{
		{"nothing", func(*metav1.PartialObjectMetadata) {}, false, false, false, false},
		{"keys in another order", func(m *metav1.PartialObjectMetadata) {
			m.ManagedFields[0].FieldsV1 = raw(`{"f:data":{"f:b":{}, "f:a":{}}}`)
		}, false, false, false, false},
		{"entries in another order", func(m *metav1.PartialObjectMetadata) {
			m.ManagedFields[0], m.ManagedFields[2] = m.ManagedFields[2], m.ManagedFields[0]
		}, false, false, false, false},
		{"times", func(m *metav1.PartialObjectMetadata) {
			m.ManagedFields[1].Time = &metav1.Time{Time: time.Unix(9, 0)}
		}, false, false, false, false},
		{"a status update", func(m *metav1.PartialObjectMetadata) {
			m.ResourceVersion = "77"
			m.ManagedFields[2].FieldsV1 = raw(`{"f:status":{"f:x":{}}}`)
		}, false, false, false, false},
		{"a field of ours taken", func(m *metav1.PartialObjectMetadata) {
			m.ManagedFields[0].FieldsV1 = raw(`{"f:data":{"f:a":{}}}`)
		}, false, true, false, false},
		{"a field added", func(m *metav1.PartialObjectMetadata) {
			m.ManagedFields = append(m.ManagedFields, entry("kubectl-edit", update, `{"f:spec":{"f:hostNetwork":{}}}`))
		}, false, false, true, false},
		{"another manager for the same field", func(m *metav1.PartialObjectMetadata) { m.ManagedFields[1].Manager = "keda" }, false, false, true, false},
		{"a subresource of ours", func(m *metav1.PartialObjectMetadata) {
			e := entry("slipway", apply, `{"f:spec":{}}`)
			e.Subresource = "scale"
			m.ManagedFields = append(m.ManagedFields, e)
		}, false, false, true, false},
		{"a new spec", func(m *metav1.PartialObjectMetadata) { m.Generation++ }, false, false, false, true},
		{"made anew", func(m *metav1.PartialObjectMetadata) { m.UID = "u2" }, true, false, false, false},
		{"our entry gone", func(m *metav1.PartialObjectMetadata) { m.ManagedFields = m.ManagedFields[1:] }, false, true, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := base()
			tt.do(m)
			is := MarkOf(m)
			got := []bool{is.UID != was.UID, is.Entry != was.Entry, is.Others != was.Others, is.Generation != was.Generation}
			if diff := cmp.Diff([]bool{tt.uid, tt.entry, tt.others, tt.number}, got); diff != "" {
				t.Errorf("uid, entry, others, generation: %s", diff)
			}
		})
	}
}

func TestAMarkIsTheSameHoweverTheObjectWasRead(t *testing.T) {
	for _, name := range []string{"slipway", "kubectl-edits", "endpointslice"} {
		m := fixture(t, name)
		var decoded map[string]any // as from a dynamic client, which sorts keys its own way
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &decoded); err != nil {
			t.Fatal(err)
		}
		b, err = json.MarshalIndent(decoded, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		again := &metav1.PartialObjectMetadata{}
		if err := json.Unmarshal(b, again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(MarkOf(m), MarkOf(again)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func BenchmarkMarkOf(b *testing.B) {
	t := &testing.T{}
	m := fixture(t, "slipway")
	for b.Loop() {
		MarkOf(m)
	}
}
