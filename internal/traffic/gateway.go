package traffic

import (
	"fmt"
	"math"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// Gateway divides traffic by the Gateway API's HTTPRoutes: in each rule that names both Services, by the weights of their
// backendRefs.
type Gateway struct {
	Stable, Canary string // names of Services in Namespace
	Namespace      string
}

// SetWeight is Router's. Rules that name neither Service are other traffic and stay; a rule that names one of them only
// stays too, as a route for testers does.
func (g Gateway) SetWeight(objects []*unstructured.Unstructured, weight int32) ([]*unstructured.Unstructured, error) {
	if weight < 0 || weight > 100 {
		return nil, fault.New(fault.Invalid, "set weight %d: not between 0 and 100", weight)
	}
	var out []*unstructured.Unstructured
	for _, o := range objects {
		changed := o.DeepCopy()
		rules, pairs, err := g.pairs(changed)
		if err != nil {
			return nil, err
		}
		differs := false
		for _, p := range pairs {
			differs = differs || weightOf(p.canary) != int64(weight) || weightOf(p.stable) != int64(100-weight)
			p.canary["weight"], p.stable["weight"] = int64(weight), int64(100-weight)
		}
		if !differs {
			continue
		}
		if err := unstructured.SetNestedSlice(changed.Object, rules, "spec", "rules"); err != nil {
			return nil, fault.New(fault.Invalid, "%s: spec.rules: %w", manifest.IDOf(o), err)
		}
		out = append(out, changed)
	}
	return out, nil
}

// Verify is Router's. A Gateway has taken a route when each parent that answers says Accepted, and does not deny
// ResolvedRefs, of this very generation; the plugin of Argo Rollouts says so without looking.
func (g Gateway) Verify(objects []*unstructured.Unstructured) (weight int32, taken bool, why string, err error) {
	taken = true
	for _, o := range objects {
		_, pairs, err := g.pairs(o)
		if err != nil {
			return 0, false, "", err
		}
		for _, p := range pairs {
			weight = max(weight, p.share())
		}
		if reason := pending(o); reason != "" {
			taken, why = false, fmt.Sprintf("%s: %s", manifest.IDOf(o), reason)
		}
	}
	return weight, taken, why, nil
}

// pair is the two backendRefs of one rule.
type pair struct{ canary, stable map[string]any }

// share is the canary's percent of the two, rounded up: any weight at all is one.
func (p pair) share() int32 {
	canary, stable := weightOf(p.canary), weightOf(p.stable)
	if canary <= 0 {
		return 0
	}
	return int32(math.Ceil(float64(canary) * 100 / float64(canary+max(stable, 0))))
}

// weightOf is a backendRef's weight: 1 where it has none (Gateway API, BackendRef.weight).
func weightOf(ref map[string]any) int64 {
	switch w := ref["weight"].(type) {
	case int64:
		return w
	case float64:
		return int64(w)
	}
	return 1
}

// pairs finds the rules that divide the traffic, at least one, in a copy of all rules.
func (g Gateway) pairs(o *unstructured.Unstructured) (rules []any, out []pair, err error) {
	if gk := o.GroupVersionKind().GroupKind(); gk.Kind != "HTTPRoute" || gk.Group != "gateway.networking.k8s.io" {
		return nil, nil, fault.New(fault.Invalid, "%s: is no HTTPRoute of gateway.networking.k8s.io", manifest.IDOf(o))
	}
	rules, _, err = unstructured.NestedSlice(o.Object, "spec", "rules")
	if err != nil {
		return nil, nil, fault.New(fault.Invalid, "%s: %w", manifest.IDOf(o), err)
	}
	for i, r := range rules {
		rule, _ := r.(map[string]any)
		refs, _ := rule["backendRefs"].([]any)
		var p pair
		other := ""
		for j, b := range refs {
			ref, _ := b.(map[string]any)
			switch {
			case g.names(o, ref, g.Canary):
				p.canary = ref
			case g.names(o, ref, g.Stable):
				p.stable = ref
			case weightOf(ref) > 0:
				other = fmt.Sprintf("spec.rules[%d].backendRefs[%d]", i, j)
			}
		}
		if p.canary == nil || p.stable == nil {
			continue
		}
		if other != "" {
			return nil, nil, fault.New(fault.Invalid, "%s: %s: has a weight beside %s and %s, so that theirs are no percent", manifest.IDOf(o), other, g.Stable, g.Canary)
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return nil, nil, fault.New(fault.Invalid, "%s: spec.rules: none has both %s and %s in its backendRefs", manifest.IDOf(o), g.Stable, g.Canary)
	}
	return rules, out, nil
}

// names reports whether a backendRef is a Service of the Rollout.
func (g Gateway) names(o *unstructured.Unstructured, ref map[string]any, service string) bool {
	text := func(key, otherwise string) string {
		if s, _ := ref[key].(string); s != "" {
			return s
		}
		return otherwise
	}
	return text("name", "") == service && text("kind", "Service") == "Service" && text("group", "") == "" && text("namespace", o.GetNamespace()) == g.Namespace
}

// pending says what a route's parents have not said yet of its generation, "" when they have.
func pending(o *unstructured.Unstructured) string {
	parents, _, _ := unstructured.NestedSlice(o.Object, "status", "parents") // of another type: as good as none
	if len(parents) == 0 {
		return "no Gateway has answered"
	}
	for i, p := range parents {
		parent, _ := p.(map[string]any)
		conditions, _ := parent["conditions"].([]any)
		accepted := false
		for _, c := range conditions {
			condition, _ := c.(map[string]any)
			kind, current := condition["type"], observed(condition) == o.GetGeneration()
			switch {
			case kind == "Accepted" && current && condition["status"] == "True":
				accepted = true
			case (kind == "Accepted" || kind == "ResolvedRefs") && current && condition["status"] == "False":
				return fmt.Sprintf("status.parents[%d]: %v is False: %v: %v", i, kind, condition["reason"], condition["message"])
			}
		}
		if !accepted {
			return fmt.Sprintf("status.parents[%d]: generation %d is not Accepted yet", i, o.GetGeneration())
		}
	}
	return ""
}

// observed is the generation that a condition speaks of.
func observed(condition map[string]any) int64 {
	switch n := condition["observedGeneration"].(type) {
	case int64:
		return n
	case float64:
		return int64(n)
	}
	return 0
}
