package ownership

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Names that manifest.Manager and manifest.Label have too. They are said again here, so that this package stands on
// apimachinery alone; a test holds them together.
const (
	manager = "slipway"
	label   = "slipway.dev/application"
)

// Ours is the entry of our own applies: operation Apply, no subresource. The API server keeps at most one such entry a
// manager, whatever its apiVersion.
func Ours(entries []metav1.ManagedFieldsEntry) (metav1.ManagedFieldsEntry, bool) {
	i := slices.IndexFunc(entries, isOurs)
	if i < 0 {
		return metav1.ManagedFieldsEntry{}, false
	}
	return entries[i], true
}

func isOurs(e metav1.ManagedFieldsEntry) bool {
	return e.Manager == manager && e.Operation == metav1.ManagedFieldsOperationApply && e.Subresource == ""
}

// Owns reports whether an object is ours: our applies own its label, and no controller owns the object. The label alone
// says nothing, since controllers copy labels: a Service's go to its EndpointSlices.
func Owns(meta *metav1.PartialObjectMetadata) bool {
	if meta == nil || metav1.GetControllerOfNoCopy(meta) != nil {
		return false
	}
	e, ok := Ours(meta.ManagedFields)
	return ok && ownsLabel(e)
}

func ownsLabel(e metav1.ManagedFieldsEntry) bool {
	// Most of what a LIST returns has the label's name in an entry of ours: parsing tells where.
	return e.FieldsV1 != nil && strings.Contains(e.FieldsV1.GetRawString(), label) &&
		parse(e.FieldsV1).has("f:metadata", "f:labels", "f:"+label)
}

// Mark is what the inventory keeps of an object, to see later without reading its fields whether anyone touched it.
// Resource versions are of no use for this: each status update moves them.
type Mark struct {
	UID        string `json:"uid"`
	Entry      string `json:"entry,omitempty"`  // hash of the fields that our applies own: a field of ours that anyone changes or removes leaves them
	Others     string `json:"others,omitempty"` // hash of the others' entries but for the subresource status: fields that someone added
	Generation int64  `json:"generation,omitempty"`
}

// MarkOf is the mark of a live object. It is the same for one state however it was read, as JSON, protobuf or a decoded
// object. Times of entries do not count: a manager that writes the same again moves only them.
func MarkOf(meta *metav1.PartialObjectMetadata) Mark {
	m := Mark{UID: string(meta.UID), Generation: meta.Generation}
	var others []string
	for _, e := range meta.ManagedFields {
		switch {
		case isOurs(e):
			m.Entry = hash(string(parse(e.FieldsV1).encode()))
		case e.Subresource != "status":
			others = append(others, strings.Join([]string{
				e.Manager, string(e.Operation), e.APIVersion, e.Subresource, string(parse(e.FieldsV1).encode()),
			}, "\x00"))
		}
	}
	if len(others) > 0 {
		slices.Sort(others)
		m.Others = hash(strings.Join(others, "\x01"))
	}
	return m
}

func hash(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:16])
}
