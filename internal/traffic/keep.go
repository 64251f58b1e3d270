package traffic

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Weight is that of one backendRef, by its place in a route.
type Weight struct {
	Rule, Ref int
	Value     int64
}

// Kept is the weights between the two Services that a route as git says it must have, so that it divides the traffic as
// the live one does: in each rule that names both, those of the live rule in its place, or, where that is no such rule, of
// the one that gives the canary most. So a rule that git adds beside the others does not send the canary what git has as
// its weight. None where the live route divides nothing.
func (g Gateway) Kept(said, live *unstructured.Unstructured) []Weight {
	now := g.places(live)
	if len(now) == 0 {
		return nil
	}
	most := slices.MaxFunc(now, func(a, b place) int { return int(a.share() - b.share()) })
	var out []Weight
	for _, p := range g.places(said) {
		from := most
		if i := slices.IndexFunc(now, func(l place) bool { return l.rule == p.rule }); i >= 0 {
			from = now[i]
		}
		out = append(out, Weight{p.rule, p.canaryAt, weightOf(from.canary)}, Weight{p.rule, p.stableAt, weightOf(from.stable)})
	}
	return out
}

// place is where a route names the two Services.
type place struct {
	pair
	rule, canaryAt, stableAt int
}

func (g Gateway) places(o *unstructured.Unstructured) []place {
	rules, _, _ := unstructured.NestedSlice(o.Object, "spec", "rules") // of another type: none
	var out []place
	for i, r := range rules {
		rule, _ := r.(map[string]any)
		refs, _ := rule["backendRefs"].([]any)
		p := place{rule: i}
		for j, b := range refs {
			ref, _ := b.(map[string]any)
			switch {
			case g.names(o, ref, g.Canary):
				p.canary, p.canaryAt = ref, j
			case g.names(o, ref, g.Stable):
				p.stable, p.stableAt = ref, j
			}
		}
		if p.canary != nil && p.stable != nil {
			out = append(out, p)
		}
	}
	return out
}
