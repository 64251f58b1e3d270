package manifest

import (
	"encoding/base64"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// value is what n means to Kubernetes: nil, bool, int64, float64, string, []any or map[string]any.
func (p *parser) value(n *yaml.Node, depth int) (any, error) {
	if depth > maxDepth {
		return nil, p.errorf(n.Line, "more than %d levels deep", maxDepth)
	}
	if p.within > 0 {
		if p.aliased++; p.aliased > maxAliased {
			return nil, p.errorf(n.Line, "aliases expand to more than %d values", maxAliased)
		}
	}
	switch n.Kind {
	case yaml.AliasNode:
		var v any
		err := p.follow(n, func(to *yaml.Node) (err error) { v, err = p.value(to, depth); return err })
		return v, err
	case yaml.ScalarNode:
		return p.scalar(n)
	case yaml.SequenceNode:
		if n.ShortTag() != "!!seq" {
			return nil, p.errorf(n.Line, "tag %s is not supported", CleanText(n.Tag, 80))
		}
		list := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			v, err := p.value(c, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		return m, p.mapping(n, m, depth)
	case yaml.DocumentNode: // only at the top, and opened there
	}
	return nil, p.errorf(n.Line, "not a value")
}

// follow calls f with the node that alias n stands for, and counts what f sees.
func (p *parser) follow(n *yaml.Node, f func(*yaml.Node) error) error {
	if p.open[n.Alias] {
		return p.errorf(n.Line, "an anchor contains itself")
	}
	if p.open == nil {
		p.open = map[*yaml.Node]bool{}
	}
	p.open[n.Alias] = true
	p.within++
	defer func() { p.within--; delete(p.open, n.Alias) }()
	return f(n.Alias)
}

// mapping puts the pairs of n into m. A key of n's own wins over a merged one. Where it comes before the << kubectl's
// parser takes the merged one, against YAML's rules, so that is refused.
func (p *parser) mapping(n *yaml.Node, m map[string]any, depth int) error {
	if n.ShortTag() != "!!map" {
		return p.errorf(n.Line, "tag %s is not supported", CleanText(n.Tag, 80))
	}
	lines := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if merges(k) {
			merged := map[string]any{}
			if err := p.merge(v, merged, depth+1); err != nil {
				return err
			}
			for key := range merged {
				if before, ok := lines[key]; ok {
					return p.errorf(k.Line, "key %q of line %d is set again by <<: write << first", CleanText(key, 80), before)
				}
			}
			maps.Copy(m, merged)
			continue
		}
		key, err := p.key(k)
		if err != nil {
			return err
		}
		if before, ok := lines[key]; ok {
			return p.errorf(k.Line, "key %q is already set in line %d", CleanText(key, 80), before)
		}
		lines[key] = k.Line
		if m[key], err = p.value(v, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func merges(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "<<" && n.ShortTag() == "!!merge"
}

// merge puts into m the pairs of n, a map or a list of maps; of a list the first that has a key wins.
func (p *parser) merge(n *yaml.Node, m map[string]any, depth int) error {
	if depth > maxDepth {
		return p.errorf(n.Line, "more than %d levels deep", maxDepth)
	}
	switch n.Kind {
	case yaml.AliasNode:
		return p.follow(n, func(to *yaml.Node) error {
			if to.Kind != yaml.MappingNode {
				return p.errorf(n.Line, "<< must name a map or a list of maps")
			}
			p.aliased++
			return p.mapping(to, m, depth)
		})
	case yaml.MappingNode:
		return p.mapping(n, m, depth)
	case yaml.SequenceNode:
		for _, c := range slices.Backward(n.Content) {
			if c.Kind == yaml.SequenceNode {
				return p.errorf(c.Line, "<< must name a map or a list of maps")
			}
			if err := p.merge(c, m, depth+1); err != nil {
				return err
			}
		}
		return nil
	case yaml.DocumentNode, yaml.ScalarNode:
	}
	return p.errorf(n.Line, "<< must name a map or a list of maps")
}

// key is a map's key as Kubernetes sees it: numbers and booleans become text (sigs.k8s.io/yaml convertToJSONableObject),
// so that y: and on: are both "true".
func (p *parser) key(n *yaml.Node) (string, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!float" { // 1e10 would be 1e+10
		return "", p.errorf(n.Line, "a key must be text: quote it")
	}
	v, err := p.scalar(n)
	if err != nil {
		return "", err
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	}
	return "", p.errorf(n.Line, "a key must be text: quote it")
}

// yaml11 are the booleans of YAML 1.1 that the parser, which knows 1.2, takes for text.
var yaml11 = map[string]bool{
	"y": true, "Y": true, "yes": true, "Yes": true, "YES": true, "on": true, "On": true, "ON": true,
	"n": false, "N": false, "no": false, "No": false, "NO": false, "off": false, "Off": false, "OFF": false,
}

func (p *parser) scalar(n *yaml.Node) (any, error) {
	plain := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	tagged := n.Style&yaml.TaggedStyle != 0
	switch n.ShortTag() {
	case "!!str", "!!timestamp", "!!merge":
		if b, ok := yaml11[n.Value]; ok && plain && !tagged {
			return b, nil
		}
		return n.Value, nil
	case "!!null":
		if slices.Contains([]string{"", "~", "null", "Null", "NULL"}, n.Value) {
			return nil, nil
		}
	case "!!bool":
		if b, ok := yaml11[n.Value]; ok {
			return b, nil
		}
		var b bool
		if n.Decode(&b) == nil {
			return b, nil
		}
	case "!!int", "!!float":
		var v any
		if n.Decode(&v) == nil {
			return p.number(n, v)
		}
	case "!!binary":
		if b, err := base64.StdEncoding.DecodeString(n.Value); err == nil && utf8.Valid(b) {
			return string(b), nil
		}
	default: // not shown: it may be a password that was not quoted
		return nil, p.errorf(n.Line, "tags are not supported: quote a text that starts with !")
	}
	return nil, p.errorf(n.Line, "not a value of type %s", n.ShortTag())
}

// number makes of v what a detour through JSON makes of it: a whole number that fits is an int64 however it is written.
func (p *parser) number(n *yaml.Node, v any) (any, error) {
	switch v := v.(type) {
	case int:
		return int64(v), nil
	case int64:
		return v, nil
	case uint64:
		return float64(v), nil
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return nil, p.errorf(n.Line, "a number must be finite")
		}
		if v == math.Trunc(v) && v >= math.MinInt64 && v < math.MaxInt64 {
			if i, err := strconv.ParseInt(strconv.FormatFloat(v, 'f', -1, 64), 10, 64); err == nil { // JSON's digits, not the nearest binary's
				return i, nil
			}
		}
		return v, nil
	}
	return nil, p.errorf(n.Line, "not a number")
}
