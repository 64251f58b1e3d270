package ownership

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KeptPath is a field that we no longer apply and that lives on, because Manager owns it too.
type KeptPath struct {
	Path    string
	Manager string
}

// Kept compares an object's managed fields before and after an apply of ours: the fields that left our set with it and
// that another manager still owns, so that the API server could not remove them. An item that is kept stands for the
// fields in it. Sorted by path, then manager.
func Kept(before, after []metav1.ManagedFieldsEntry) []KeptPath {
	was, had := Ours(before)
	if !had {
		return nil
	}
	is, _ := Ours(after)
	now := parse(is.FieldsV1)
	var out []KeptPath
	parse(was.FieldsV1).walk(nil, func(path []string) {
		if now.reaches(path) { // still ours, or something in it is: a map is not kept for the sake of what we still apply
			return
		}
		for _, e := range after {
			if isOurs(e) || !parse(e.FieldsV1).has(path...) {
				continue
			}
			k := KeptPath{Path: readable(path), Manager: e.Manager}
			inside := func(o KeptPath) bool {
				rest, ok := strings.CutPrefix(k.Path, o.Path)
				return ok && o.Manager == k.Manager && (rest == "" || rest[0] == '.' || rest[0] == '[')
			}
			if !slices.ContainsFunc(out, inside) {
				out = append(out, k)
			}
		}
	})
	return out
}

// reaches reports whether path, or anything below it, is in the set.
func (t tree) reaches(path []string) bool {
	for _, p := range path {
		c, ok := t[p]
		if !ok {
			return false
		}
		t = c
	}
	return true
}
