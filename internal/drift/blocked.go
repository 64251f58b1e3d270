package drift

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/ownership"
)

// blockedList is a list of which git's items are gone and others have come: an item whose key was edited, such as a port
// 80 that was made 8080. Our apply would add the 80 again, beside an item of the same name, and is refused (security H5).
type blockedList struct {
	live    []any
	foreign []any // items of live that others added
	absent  []any // items of git that are not in live
	items   []ownership.Owned
}

// next is the list without what is in the way.
func (l *blockedList) next() []any {
	out := slices.DeleteFunc(slices.Clone(l.live), func(e any) bool {
		return slices.ContainsFunc(l.foreign, func(f any) bool { return same(e, f) })
	})
	return append(out, l.absent...)
}

func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// blockedLists are such lists by their JSON pointer in live.
func blockedLists(said, live *unstructured.Unstructured, added []ownership.Owned) map[string]*blockedList {
	out := map[string]*blockedList{}
	for _, o := range added {
		key, ok := strings.CutPrefix(o.Steps[len(o.Steps)-1], "k:")
		var fields map[string]any
		if !ok || json.Unmarshal([]byte(key), &fields) != nil {
			continue
		}
		above := o.Steps[:len(o.Steps)-1]
		pointer, v, is := ownership.Locate(live.Object, above)
		_, item, there := ownership.Locate(live.Object, o.Steps)
		_, git, says := ownership.Locate(said.Object, above)
		list, isList := v.([]any)
		want, wanted := git.([]any)
		if !is || !there || !says || !isList || !wanted {
			continue
		}
		l := out[pointer]
		if l == nil {
			l = &blockedList{live: list, absent: absent(want, list, slices.Collect(maps.Keys(fields)))}
		}
		if len(l.absent) == 0 {
			continue
		}
		l.foreign, l.items = append(l.foreign, item), append(l.items, o)
		out[pointer] = l
	}
	return out
}

// absent are the items of git that no live item has the key of. A key field that git leaves out, such as a port's
// protocol, is the server's default.
func absent(git, live []any, keys []string) []any {
	var out []any
	for _, g := range git {
		gm, ok := g.(map[string]any)
		if !ok {
			continue
		}
		there := slices.ContainsFunc(live, func(l any) bool {
			lm, ok := l.(map[string]any)
			return ok && !slices.ContainsFunc(keys, func(k string) bool { return gm[k] != nil && !same(gm[k], lm[k]) })
		})
		if !there {
			out = append(out, g)
		}
	}
	return out
}

// inTheWay are those of what others added that are in such lists.
func inTheWay(said, live *unstructured.Unstructured, added []ownership.Owned) []ownership.Owned {
	lists := blockedLists(said, live, added)
	var out []ownership.Owned
	for _, pointer := range slices.Sorted(maps.Keys(lists)) {
		out = append(out, lists[pointer].items...)
	}
	return out
}
