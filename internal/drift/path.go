package drift

import (
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/ignore"
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

// leave has a field stay as it is live.
func leave(f *ignore.Fields, path string, said, live *unstructured.Unstructured) {
	if s, ok := locate(said.Object, path); ok {
		f.LeaveSaid(s...)
	}
	if s, ok := locate(live.Object, path); ok {
		f.LeaveLive(s...)
	}
}
