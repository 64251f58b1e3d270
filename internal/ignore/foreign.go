package ignore

import (
	"slices"
	"strings"

	"slipway/internal/ownership"
)

// Without is what others have added to the live object but for the fields that are left. Of a map that was added only
// the other fields are told; an item of a list that was added stays one, since without some of its fields it is none.
func (f *Fields) Without(added []ownership.Owned) []ownership.Owned {
	var out []ownership.Owned
	for _, o := range added {
		left, parts := f.leaves(o)
		if parts {
			out = append(out, f.Without(o.Parts(f.entries))...)
		} else if !left {
			out = append(out, o)
		}
	}
	return out
}

// leaves reports whether a field is left, or is a map of which parts are.
func (f *Fields) leaves(o ownership.Owned) (left, parts bool) {
	if slices.Contains(f.managers, o.Manager) {
		return true, false
	}
	n := &f.left
	for _, s := range o.Steps {
		if n.whole {
			return true, false
		}
		if n = n.next[s]; n == nil {
			return false, false
		}
	}
	item := len(o.Steps) > 0 && !strings.HasPrefix(o.Steps[len(o.Steps)-1], "f:")
	return n.whole, !n.whole && !item && len(n.next) > 0 && len(o.Parts(f.entries)) > 0
}
