// Package traffic divides requests between two Services: objects and a weight in, changed objects out. One file a router.
// It reads and writes nothing; what it changes are copies, to be written with the resourceVersion that was read.
// Where no router is named, the numbers of pods are the weight, and package rollout divides those.
package traffic

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Router is a kind of object that divides traffic. Weights are the canary's percent; stable has the rest. Errors are of
// kind fault.Invalid and name object, path and reason: the objects say something that no weight can be put into.
type Router interface {
	// SetWeight gives the objects that must change, as they must become; none when all have the weight.
	SetWeight(objects []*unstructured.Unstructured, weight int32) ([]*unstructured.Unstructured, error)
	// Verify reads the canary's weight, the highest where objects differ, and whether the router has taken all of them as
	// they are now. Why says what it still waits for.
	Verify(objects []*unstructured.Unstructured) (weight int32, taken bool, why string, err error)
}
