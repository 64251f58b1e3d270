package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
)

// What one file may ask of the parser (security R12, CVE-2019-11254).
const (
	maxFile    = MaxTotal  // bytes
	maxSigns   = 3_000_000 // separators in the text: a node takes one at least and some 200 bytes of memory
	maxDepth   = 500       // levels; the deepest schemas of CRDs have about 60
	maxAliased = 100_000   // nodes reached through aliases, which cost nothing to write
)

// ParseYAML reads the objects of a file with Kubernetes manifests: any number of YAML documents, or, if the file's name
// ends in .json, exactly one object (argo-cd reposerver/repository/repository.go). Documents without content are passed
// over, lists are replaced by their items. Values are those that sigs.k8s.io/yaml gives kubectl: yes, on and y are
// booleans, 1e3 is the integer 1000.
//
// It is strict: a key that comes twice, a document that is no Kubernetes object, a tag, too deep a structure or too many
// aliases are errors. Errors are of kind fault.Invalid, begin with file and line, and quote keys but never values.
func ParseYAML(file string, data []byte) ([]Object, error) {
	if len(data) > maxFile {
		return nil, fault.New(fault.Invalid, "%s: %d bytes, at most %d are read", file, len(data), maxFile)
	}
	p := parser{file: file}
	if path.Ext(file) == ".json" || startsAsObject(data) && json.Valid(data) {
		return p.json(data)
	}
	signs := 0
	for _, c := range data {
		switch c {
		case ',', ':', '[', '{', '\n':
			signs++
		}
	}
	if signs > maxSigns {
		return nil, fault.New(fault.Invalid, "%s: too many values for one file", file)
	}
	return p.yaml(data)
}

// parser reads one file.
type parser struct {
	file    string
	objects []Object
	aliased int                 // nodes seen through aliases
	within  int                 // aliases that are being followed
	open    map[*yaml.Node]bool // anchors that are being followed
}

func (p *parser) yaml(data []byte) ([]Object, error) {
	for d := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var doc yaml.Node
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return p.objects, nil
		}
		if err != nil {
			return nil, p.syntax(err)
		}
		if len(doc.Content) != 1 {
			continue
		}
		n := doc.Content[0]
		v, err := p.value(n, 0)
		if err != nil {
			return nil, err
		}
		if v == nil {
			continue
		}
		if err := p.add(v, func() int { return n.Line }, 0); err != nil {
			return nil, err
		}
	}
}

var (
	lineOf = regexp.MustCompile(`^line ([0-9]+): `)
	anchor = regexp.MustCompile(`anchor '[^']*'`) // password: *secret is an alias, and quoted
)

// syntax puts the parser's "yaml: line 3: did not find expected key" into our form.
func (p *parser) syntax(err error) error {
	msg := anchor.ReplaceAllString(strings.TrimPrefix(err.Error(), "yaml: "), "anchor")
	line := 1
	if m := lineOf.FindStringSubmatch(msg); m != nil {
		line, _ = strconv.Atoi(m[1]) //nolint:errcheck // digits; a line number that does not fit stays 0
		msg = msg[len(m[0]):]
	}
	return p.errorf(line, "%s", CleanText(msg, 200))
}

func (p *parser) errorf(line int, format string, args ...any) error {
	return fault.New(fault.Invalid, "%s:%d: "+format, append([]any{p.file, line}, args...)...)
}

// add appends the object v, or the items of the list v.
func (p *parser) add(v any, line func() int, depth int) error {
	obj, ok := v.(map[string]any)
	if !ok {
		return p.errorf(line(), "a document must be one object with apiVersion and kind")
	}
	for _, k := range []string{"apiVersion", "kind"} {
		if s, ok := obj[k].(string); !ok || s == "" {
			return p.errorf(line(), "%s is missing: not a Kubernetes object", k)
		}
	}
	kind, _ := obj["kind"].(string)
	items, has := obj["items"]
	if !strings.HasSuffix(kind, "List") || !has && kind != "List" {
		p.objects = append(p.objects, Object{Unstructured: &unstructured.Unstructured{Object: obj}, File: p.file})
		return nil
	}
	list, ok := items.([]any)
	if !ok && items != nil {
		return p.errorf(line(), "items of a %s must be a list", kind)
	}
	for _, item := range list {
		o, ok := item.(map[string]any)
		if ok && kind != "List" { // a list of one kind need not repeat it
			setDefault(o, "apiVersion", obj["apiVersion"])
			setDefault(o, "kind", strings.TrimSuffix(kind, "List"))
		}
		if err := p.add(item, line, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func setDefault(m map[string]any, key string, v any) {
	if m[key] == nil {
		m[key] = v
	}
}
