package render

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/internal/fault"
)

const maxDepth = 100 // of values and Chart.yaml; security R12

var (
	yamlLine = regexp.MustCompile(`^ line ([0-9]+):`)
	anchor   = regexp.MustCompile(`anchor '[^']*'`) // password: *secret is an alias, and quoted
)

// checkMapping refuses what a decoder would take in silence or answer with the text of the file (security R12, R15):
// broken YAML, a second document, a key given twice, nesting without end, anything that is not a map. An empty file is
// a map without keys. Errors name file and line.
func checkMapping(file string, data []byte) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	err := d.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		msg := anchor.ReplaceAllString(quoted.ReplaceAllString(strings.TrimPrefix(err.Error(), "yaml: "), masked), "anchor")
		return fault.New(fault.Invalid, "%s:%s", file, yamlLine.ReplaceAllString(" "+msg, "$1:"))
	}
	var second yaml.Node
	if err := d.Decode(&second); !errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "%s: holds more than one document", file)
	}
	root := &doc
	if doc.Kind == yaml.DocumentNode && len(doc.Content) > 0 {
		root = doc.Content[0]
	}
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil
	}
	if root.Kind != yaml.MappingNode {
		return fault.New(fault.Invalid, "%s:%d: is not a map", file, max(root.Line, 1))
	}
	return checkNode(file, root, 0)
}

func checkNode(file string, n *yaml.Node, depth int) error {
	if depth > maxDepth {
		return fault.New(fault.Invalid, "%s:%d: is nested deeper than %d", file, n.Line, maxDepth)
	}
	if n.Kind == yaml.MappingNode {
		seen := make(map[string]int, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			k := n.Content[i]
			if first, twice := seen[k.Value]; twice && k.Kind == yaml.ScalarNode {
				return fault.New(fault.Invalid, "%s:%d: key %.64q is given twice, first in line %d", file, k.Line, k.Value, first)
			}
			if k.Kind == yaml.ScalarNode {
				seen[k.Value] = k.Line
			}
		}
	}
	for _, c := range n.Content {
		if err := checkNode(file, c, depth+1); err != nil {
			return err
		}
	}
	return nil
}
