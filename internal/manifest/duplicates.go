package manifest

import "fmt"

// Duplicates drops objects that come again later: of two with the same ID the last wins, as with Argo CD
// (controller/state.go, RepeatedResourceWarning). It says so in one warning each, by file. Namespaces must be filled in
// before. The order of the kept stays.
func Duplicates(objs []Object) (kept []Object, warnings []string) {
	last := make(map[ID]int, len(objs))
	for i, o := range objs {
		if before, ok := last[o.ID()]; ok {
			warnings = append(warnings, fmt.Sprintf("%s: %s is declared again in %s, the last wins", objs[before].File, o.ID(), o.File))
		}
		last[o.ID()] = i
	}
	kept = make([]Object, 0, len(last))
	for i, o := range objs {
		if last[o.ID()] == i {
			kept = append(kept, o)
		}
	}
	return kept, warnings
}
