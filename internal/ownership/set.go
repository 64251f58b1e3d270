package ownership

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Set is a set of fields of one object, each as its steps in the form of fieldsV1, such as f:metadata, f:labels, f:app.
type Set struct{ fields tree }

// SetOf is what entries own together.
func SetOf(entries ...metav1.ManagedFieldsEntry) Set {
	t := tree{}
	for _, e := range entries {
		t.union(parse(e.FieldsV1))
	}
	return Set{t}
}

// Reaches reports whether the field, or anything in it, is in the set.
func (s Set) Reaches(steps []string) bool { return s.fields.reaches(steps) }

// Below is the next steps from a field to what is in it, sorted. A field without any is in the set as a whole, if it is
// reached: its value, or the list or map that is owned in one piece.
func (s Set) Below(steps []string) []string {
	t := s.fields
	for _, step := range steps {
		t = t[step]
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(t)), func(k string) bool { return k == itself })
}

// Leaves are the fields in which nothing else of the set is.
func (s Set) Leaves() [][]string {
	var out [][]string
	s.fields.walk(nil, func(path []string) {
		if len(s.Below(path)) == 0 {
			out = append(out, path)
		}
	})
	return out
}
