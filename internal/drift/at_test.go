package drift

// replicas is the field that autoscalers set.
const replicas = ".spec.replicas"

// value is what an object has at s, nil if it has nothing there.
func value(at any, s steps) any {
	for _, e := range s {
		switch e := e.(type) {
		case string:
			m, ok := at.(map[string]any)
			if !ok {
				return nil
			}
			at = m[e]
		case int:
			l, ok := at.([]any)
			if !ok || e >= len(l) {
				return nil
			}
			at = l[e]
		}
	}
	return at
}

// put sets what is at s, or with nil takes it out.
func put(u map[string]any, s steps, v any) bool {
	if len(s) == 0 {
		return false
	}
	up := s[:len(s)-1]
	switch parent := value(u, up).(type) {
	case map[string]any:
		k, ok := s[len(s)-1].(string)
		if !ok {
			return false
		}
		if v == nil {
			delete(parent, k)
		} else {
			parent[k] = v
		}
		return true
	case []any:
		i, ok := s[len(s)-1].(int)
		if !ok {
			return false
		}
		if v != nil {
			parent[i] = v
			return true
		}
		return put(u, up, append(append([]any{}, parent[:i]...), parent[i+1:]...))
	}
	return false
}
