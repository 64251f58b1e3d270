package health

// object is a map of an object, read without errors: what is absent or of another type is the zero value, as it is for
// the controllers that write it.
type object map[string]any

func (o object) at(path ...string) object {
	for _, p := range path {
		m, ok := o[p].(map[string]any)
		if !ok {
			return nil
		}
		o = m
	}
	return o
}

func (o object) text(key string) string { s, _ := o[key].(string); return s }

func (o object) flag(key string) bool { b, _ := o[key].(bool); return b }

// number is the whole number at key, and whether there is one.
func (o object) number(key string) (int64, bool) {
	switch n := o[key].(type) {
	case int64:
		return n, true
	case float64: // a decoder that does not know of integers
		return int64(n), true
	}
	return 0, false
}

func (o object) count(key string) int64 { n, _ := o.number(key); return n }

func (o object) list(key string) []object {
	items, _ := o[key].([]any)
	out := make([]object, 0, len(items))
	for _, i := range items {
		if m, ok := i.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// condition is status.conditions[type=name]; nil if there is none.
func (o object) condition(name string) object {
	for _, c := range o.at("status").list("conditions") {
		if c.text("type") == name {
			return c
		}
	}
	return nil
}

// observed reports whether the controller has seen the newest spec.
func (o object) observed() bool {
	return o.at("metadata").count("generation") <= o.at("status").count("observedGeneration")
}

var unobserved = Status{Progressing, "waiting for the controller to see the newest spec"}
