package drift

import (
	"strconv"
	"strings"
)

// locate finds a path of manifest.Changes, such as .spec.containers[name="app"].image, in an object.
func locate(obj map[string]any, path string) (steps, bool) {
	var out steps
	var at any = obj
	for path != "" {
		var token string
		token, path = cut(path)
		var ok bool
		var step any
		switch list, isList := at.([]any); {
		case token == "":
			return nil, false
		case isList:
			i := item(list, token)
			if ok = i >= 0; ok {
				step, at = i, list[i]
			}
		default:
			m, isMap := at.(map[string]any)
			k, isKey := keyOf(token)
			if !isMap || !isKey {
				return nil, false
			}
			at, ok = m[k]
			step = k
		}
		if !ok {
			return nil, false
		}
		out = append(out, step)
	}
	return out, true
}

// cut takes the first element off a path: .key, ["key"], [name="x"] or [3].
func cut(path string) (token, rest string) {
	if path[0] == '.' {
		end := strings.IndexAny(path[1:], ".[") + 1
		if end == 0 {
			end = len(path)
		}
		return path[:end], path[end:]
	}
	if path[0] != '[' {
		return "", path
	}
	quoted := false
	for i := 1; i < len(path); i++ {
		switch {
		case path[i] == '\\' && quoted:
			i++
		case path[i] == '"':
			quoted = !quoted
		case path[i] == ']' && !quoted:
			return path[:i+1], path[i+1:]
		}
	}
	return "", path
}

func keyOf(token string) (string, bool) {
	if token[0] == '.' {
		return token[1:], true
	}
	k, err := strconv.Unquote(token[1 : len(token)-1])
	return k, err == nil
}

func item(list []any, token string) int {
	inside := token[1 : len(token)-1]
	if i, err := strconv.Atoi(inside); err == nil && i >= 0 && i < len(list) {
		return i
	}
	quoted, named := strings.CutPrefix(inside, "name=")
	name, err := strconv.Unquote(quoted)
	if token[0] != '[' || !named || err != nil {
		return -1
	}
	for i, e := range list {
		if m, ok := e.(map[string]any); ok && m["name"] == name {
			return i
		}
	}
	return -1
}

// leave makes a field of u what it is in live: what is to be sent then changes nothing about it. What u does not have is
// only in live because our applies have set it before, and goes.
func leave(u, live map[string]any, path string) {
	to, ok := locate(u, path)
	if !ok {
		return
	}
	var v any
	if from, there := locate(live, path); there {
		v = value(live, from)
	}
	put(u, to, v)
}

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
