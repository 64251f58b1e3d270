package manifest

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Swept is what a sweep over a cluster's kinds saw whole, and what it cost.
type Swept struct {
	// Whole has each kind of which every object was handed over, and the resourceVersion to watch it from; "" when the
	// cluster does not know the kind, so that nothing of it is left. A kind that is not in it says nothing about what is
	// missing.
	Whole map[schema.GroupKind]string
	// Failed has every other kind, and why.
	Failed   map[schema.GroupKind]error
	Requests int   // that were answered, with their repetitions; discovery is not counted
	Bytes    int64 // of answers, as they travelled
	Objects  int   // handed over
}

// EventType is what a watch tells of an object.
type EventType string

// The types of events, as Kubernetes spells them.
const (
	Added    EventType = "ADDED"
	Modified EventType = "MODIFIED"
	Deleted  EventType = "DELETED"
	Bookmark EventType = "BOOKMARK" // nothing happened: Object has a resourceVersion only
)

// Event is one change of one object that a watch saw.
type Event struct {
	Type   EventType
	Object metav1.PartialObjectMetadata // as it is after the change, or was before its deletion
}
