package render

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The bounds are Helm's (helm pkg/strvals/parser.go): an index allocates a list of its size.
const (
	maxParameterIndex = 65536
	maxParameterDepth = 30
)

// step is one part of a parameter's name: a key of a map or an index of a list.
type step struct {
	key   string
	index int // -1 for a key
}

// setParameter writes one parameter of an Application into values, by the rules of helm --set (helm
// pkg/strvals/parser.go) as Argo CD calls it (argo-cd util/helm/cmd.go cleanSetParameters): the value is one value,
// commas and all, unless it looks like {a,b}. Name and value come apart here and are never joined to a --set line, so
// that no value can set a second key (CVE-2022-36055 and CVE-2022-23524 are of that parser; security R11).
// Errors name the parameter and never its value.
func setParameter(values map[string]any, name, value string, forceString bool) error {
	path, err := parseName(name)
	if err != nil {
		return fmt.Errorf("parameter %q: %w", name, err)
	}
	v, err := parseValue(value, forceString)
	if err != nil {
		return fmt.Errorf("parameter %q: %w", name, err)
	}
	if _, err := put(values, path, v); err != nil {
		return fmt.Errorf("parameter %q: %w", name, err)
	}
	return nil
}

// parseName reads a.b[0].c; a backslash takes the next character literally, as in annotations.prometheus\.io/scrape.
func parseName(name string) ([]step, error) {
	var (
		path    []step
		key     strings.Builder
		pending = true // a key must come: at the start and after a dot
	)
	flush := func() error {
		if key.Len() == 0 {
			return errors.New("has an empty part in its name")
		}
		path = append(path, step{key: key.String(), index: -1})
		key.Reset()
		pending = false
		return nil
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch c {
		case '.', '[':
			if pending {
				if err := flush(); err != nil {
					return nil, err
				}
			}
			if c == '.' {
				pending = true
				continue
			}
			end := strings.IndexByte(name[i:], ']')
			if end < 0 {
				return nil, errors.New("has a [ without ] in its name")
			}
			n, err := strconv.Atoi(name[i+1 : i+end])
			if err != nil || n < 0 || n > maxParameterIndex {
				return nil, fmt.Errorf("has an index that is not a number from 0 to %d", maxParameterIndex)
			}
			path = append(path, step{index: n})
			i += end
		case '=', ',':
			return nil, fmt.Errorf(`has an unescaped %q in its name: write \%c`, c, c)
		default:
			if !pending {
				return nil, errors.New("has text after ] in its name: write a dot between")
			}
			if c == '\\' {
				if i++; i == len(name) {
					return nil, errors.New("ends its name with a backslash")
				}
			}
			key.WriteByte(name[i])
		}
	}
	if pending {
		if err := flush(); err != nil {
			return nil, err
		}
	}
	if len(path) > maxParameterDepth {
		return nil, fmt.Errorf("is nested deeper than %d", maxParameterDepth)
	}
	return path, nil
}

// parseValue reads a scalar or {a,b}.
func parseValue(s string, forceString bool) (any, error) {
	if !strings.HasPrefix(s, "{") {
		return typed(unescape(s), forceString), nil
	}
	items, item := []any{}, strings.Builder{}
	for i := 1; i < len(s); i++ {
		switch c := s[i]; c {
		case '}':
			if i != len(s)-1 {
				return nil, errors.New(`has text after the list {...}: escape the first brace, \{`)
			}
			return append(items, typed(item.String(), forceString)), nil
		case ',':
			items = append(items, typed(item.String(), forceString))
			item.Reset()
		case '\\':
			if i++; i < len(s) {
				item.WriteByte(s[i])
			}
		default:
			item.WriteByte(c)
		}
	}
	return nil, errors.New(`has a list that does not end with }: escape the brace, \{, if none is meant`)
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			if i++; i == len(s) {
				break
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// typed gives a value the type that helm --set gives it: floats and numbers with a leading zero stay strings.
func typed(s string, forceString bool) any {
	switch {
	case forceString:
		return s
	case strings.EqualFold(s, "true"):
		return true
	case strings.EqualFold(s, "false"):
		return false
	case strings.EqualFold(s, "null"):
		return nil
	case s == "0":
		return int64(0)
	case s != "" && s[0] != '0':
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n
		}
	}
	return s
}

// put writes v at path into what is at (nil, a map or a list) and returns what is there afterwards.
func put(at any, path []step, v any) (any, error) {
	if len(path) == 0 {
		return v, nil
	}
	here := path[0]
	if here.index < 0 {
		m, ok := at.(map[string]any)
		if !ok {
			if at != nil {
				return nil, fmt.Errorf("sets %q in something that is no map", here.key)
			}
			m = map[string]any{}
		}
		next, err := put(m[here.key], path[1:], v)
		if err != nil {
			return nil, err
		}
		m[here.key] = next
		return m, nil
	}
	list, ok := at.([]any)
	if !ok && at != nil {
		return nil, fmt.Errorf("sets [%d] in something that is no list", here.index)
	}
	for len(list) <= here.index {
		list = append(list, nil)
	}
	old := list[here.index]
	if _, isMap := old.(map[string]any); !isMap && len(path) > 1 && path[1].index < 0 {
		old = nil // helm makes a map of an item that is none
	}
	next, err := put(old, path[1:], v)
	if err != nil {
		return nil, err
	}
	list[here.index] = next
	return list, nil
}
