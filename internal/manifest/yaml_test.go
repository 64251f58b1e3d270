package manifest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kjson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"slipway/internal/fault"
)

const head = "\napiVersion: v1\nkind: X\n"

// values is what the reference, sigs.k8s.io/yaml as kubectl uses it, makes of text.
func values(text string) (map[string]any, error) {
	j, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		return nil, err
	}
	var m map[string]any
	return m, kjson.Unmarshal(j, &m)
}

// parityTable is text whose values must be those that kubectl sends; the fuzz test starts from it too.
var parityTable = []string{
	"a: yes", "a: Yes", "a: YES", "a: y", "a: Y", "a: on", "a: On", "a: off", "a: no", "a: N", "a: n", "a: true", "a: False",
	"a: yES", "a: 'yes'", `a: "on"`, "a: !!str yes", "a: !!bool yes", "a: |\n  yes\n", "a: >-\n  on\n", "a: [y, n, yes]",
	"y: 1", "on: push", "no: 1", "true: b", "1: b", "-5: b", "0x10: b", "'1': b", "? a\n: b",
	"a: 1", "a: +5", "a: -5", "a: 0777", "a: 0o17", "a: 0x1F", "a: 0b11", "a: -0b11", "a: 08", "a: 1_000", "a: 1:30",
	"a: 9223372036854775807", "a: 9223372036854775808", "a: 18446744073709551615", "a: -9223372036854775808",
	"a: 12345678901234567890123", "a: 1.0", "a: 1e3", "a: 1E3", "a: .5", "a: -0.0", "a: 1.5e300", "a: 0.0000001", "a: 1e21",
	"a: 1e18", "a: 70000000000000100.", "a: 123456789.123", "a: !!float 1", "a: !!int '5'", "a: !!str 5", "a: 1.", "a: 1e", "a: 1.2.3", "a: 0x", "a: 0b2",
	"a:", "a: ~", "a: null", "a: Null", "a: 'null'", "a: ''", "a: !!null ''", "a: nUll",
	"a: 2001-01-01", "a: 2001-12-14t21:59:43.10-05:00", "a: !!timestamp 2001-01-01", "2001-01-01: a",
	"a: &x {b: 1}\nc: *x", "a: &x yes\nb: *x", "a: &x [1, 2]\nb: [*x, *x]", "a: &x {b: 1}\nc: {<<: *x, d: 2}",
	"a: &x {b: 1}\ne: &y {d: 3}\nc: {<<: [*x, *y], f: 2}", "a: {<<: {b: 1}, c: 2}", "'<<': 1", "a: <<", "a: &k b\n*k : c",
	"a: {}", "a: []", "a: [[], {}]", "a: [1, two, 3.5, ~]", "a: !!map {b: c}", "a: !!seq [b]", "a: !!binary aGk=",
	"a: \"\\u00e9\\t\\x41\"", "a: 'it''s'", "a: b # comment", "a: b: c", "a: plain text with 1 number", "a: \"multi\n  line\"",
	"a: |+\n  kept\n\n", "a: |2\n    indented\n", "a: >\n  folded\n  text\n\n  more\n", "# only\na: 1", "a: -", "a: '-'", "a: ?x",
	"a: 1\r\nb: 2\r\n", "\ufeffa: 1", "a: 0.1", "a: 100m", "a: 1Gi", "a: 50%", "a: '@x'", "a: 1,5", "a: =", "a: 12e03", "a: -.5", "a: .e1",
}

func TestValuesAreThoseThatKubectlSends(t *testing.T) {
	for _, s := range parityTable {
		want, wantErr := values(s + head)
		objs, err := ParseYAML("f.yaml", []byte(s+head))
		if wantErr != nil || err != nil {
			if (wantErr == nil) != (err == nil) {
				t.Errorf("%q: got %v, kubectl %v", s, err, wantErr)
			}
			continue
		}
		if diff := cmp.Diff(want, objs[0].Object); diff != "" {
			t.Errorf("%q: %s", s, diff)
		}
	}
}

func TestDocumentsAndListsBecomeObjects(t *testing.T) {
	const item = "{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}}"
	a, b := fmt.Sprintf(item, "a"), fmt.Sprintf(item, "b")
	for _, tt := range []struct {
		name, file, text string
		want             []string
	}{
		{"nothing", "f.yaml", "", nil},
		{"comments", "f.yaml", "# a\n---\n# b\n", nil},
		{"empty documents", "f.yaml", "---\n---\nnull\n---\n~\n...\n", nil},
		{"two documents", "f.yaml", a + "\n---\n" + b, []string{"ConfigMap a", "ConfigMap b"}},
		{"a comment behind the separator", "f.yaml", a + "\n--- # next\n" + b + "\n...\n", []string{"ConfigMap a", "ConfigMap b"}},
		{"dashes in a text", "f.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: |\n    ---\n    -----BEGIN\n", []string{"ConfigMap a"}},
		{"a list", "f.yaml", "apiVersion: v1\nkind: List\nitems: [" + a + ", " + b + "]", []string{"ConfigMap a", "ConfigMap b"}},
		{"a list in a list", "f.yaml", "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List, items: [" + a + "]}, " + b + "]", []string{"ConfigMap a", "ConfigMap b"}},
		{"a list of one kind need not repeat it", "f.yaml", "apiVersion: v1\nkind: ConfigMapList\nitems: [{metadata: {name: a}}, " + b + "]", []string{"ConfigMap a", "ConfigMap b"}},
		{"an empty list", "f.yaml", "apiVersion: v1\nkind: List\nitems: []", nil},
		{"a null list", "f.yaml", "apiVersion: v1\nkind: List\nitems:", nil},
		{"a list without items", "f.yaml", "apiVersion: v1\nkind: List", nil},
		{"a kind that only ends in List", "f.yaml", "apiVersion: v1\nkind: AllowList\nmetadata: {name: a}", []string{"AllowList a"}},
		{"a JSON file", "f.json", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`, []string{"ConfigMap a"}},
		{"a JSON file with a list", "f.json", `{"apiVersion":"v1","kind":"List","items":[` + `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}` + `]}`, []string{"ConfigMap a"}},
		{"JSON with tabs in a YAML file", "f.yaml", "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"ConfigMap\",\n\t\"metadata\": {\"name\": \"a\"}\n}\n", []string{"ConfigMap a"}},
		{"JSON documents in a YAML file", "f.yaml", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}` + "\n---\n" + b, []string{"ConfigMap a", "ConfigMap b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			objs, err := ParseYAML(tt.file, []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, o := range objs {
				if got = append(got, o.ID().String()); o.File != tt.file {
					t.Errorf("file %q", o.File)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestErrorsNameFileAndLineAndNoValue(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'j'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 10), ","))
	}
	merges := "a: &a {x: 1}\n"
	for c := 'b'; c < 'z'; c++ {
		merges += fmt.Sprintf("%c: &%c {<<: [*%c, *%c, *%c, *%c]}\n", c, c, c-1, c-1, c-1, c-1)
	}
	for _, tt := range []struct{ name, file, text, want string }{
		{"a duplicate key", "f.yaml", "a: 1\nb: 2\na: hunter2", `f.yaml:3: key "a" is already set in line 1`},
		{"a duplicate key in depth", "f.yaml", "a:\n  - b: 1\n    b: hunter2", `f.yaml:3: key "b" is already set in line 2`},
		{"two spellings of a key", "f.yaml", "on: 1\n\"true\": hunter2", `f.yaml:2: key "true" is already set in line 1`},
		{"an override before <<", "f.yaml", "a: &x {b: 1}\nc: {b: 2, <<: *x}", `f.yaml:2: key "b" of line 2 is set again by <<`},
		{"a tag", "f.yaml", "a: 1\nb: !vault hunter2", "f.yaml:2: tags are not supported: quote a text that starts with !"},
		{"a password that looks like a tag", "f.yaml", "a: !hunter2", "f.yaml:1: tags are not supported"},
		{"a password that looks like an alias", "f.yaml", "a: *hunter2", "f.yaml:1: unknown anchor referenced"},
		{"a tag on a map", "f.yaml", "a: !Ref {b: c}", "f.yaml:1: tag !Ref is not supported"},
		{"a tag on a list", "f.yaml", "a: !Sub [c]", "f.yaml:1: tag !Sub is not supported"},
		{"infinity", "f.yaml", "a: .inf", "f.yaml:1: a number must be finite"},
		{"not a number", "f.yaml", "a: .nan", "f.yaml:1: a number must be finite"},
		{"a number that is none", "f.yaml", "a: !!int hunter2", "f.yaml:1: not a value of type !!int"},
		{"null that is none", "f.yaml", "a: !!null hunter2", "f.yaml:1: not a value of type !!null"},
		{"binary that is no text", "f.yaml", "a: !!binary /w==", "f.yaml:1: not a value of type !!binary"},
		{"a list for a key", "f.yaml", "[a]: b", "f.yaml:1: a key must be text"},
		{"null for a key", "f.yaml", "~: b", "f.yaml:1: a key must be text"},
		{"a fraction for a key", "f.yaml", "1.5: b", "f.yaml:1: a key must be text"},
		{"a power for a key", "f.yaml", "1e10: b", "f.yaml:1: a key must be text"},
		{"a merge of text", "f.yaml", "a: {<<: hunter2}", "f.yaml:1: << must name a map"},
		{"a merge of a list in a list", "f.yaml", "a: {<<: [[{b: 1}]]}", "f.yaml:1: << must name a map"},
		{"a merge of an alias of text", "f.yaml", "a: &x hunter2\nb: {<<: *x}", "f.yaml:2: << must name a map"},
		{"broken YAML", "f.yaml", "a: 1\nb: [1, 2\nc: 3\n", "f.yaml:"},
		{"a tab", "f.yaml", "a:\n\tb: hunter2", "f.yaml:2: found character that cannot start any token"},
		{"an unknown alias", "f.yaml", "a: *x", "f.yaml:1: unknown anchor"},
		{"an anchor in itself", "f.yaml", "a: &x [*x]", "f.yaml:1: an anchor contains itself"},
		{"an anchor merged into itself", "f.yaml", "a: &x {<<: *x}", "f.yaml:1: an anchor contains itself"},
		{"depth", "f.yaml", "a: 1\nb: " + deep(9000), "f.yaml:2: more than 500 levels deep"},
		{"depth beyond the parser's", "f.yaml", "a: " + deep(20000), "f.yaml:"},
		{"depth by blocks", "f.yaml", strings.Repeat("- ", 600) + "a", "f.yaml:1: more than 500 levels deep"},
		{"a bomb of aliases", "f.yaml", bomb, "aliases expand to more than"},
		{"a bomb of merges", "f.yaml", merges, "aliases expand to more than"},
		{"many small values", "f.yaml", "a: [" + strings.Repeat(",", maxSigns) + "]", "f.yaml: too many values"},
		{"a large file", "f.yaml", strings.Repeat("x", maxFile+1), "f.yaml: 20971521 bytes"},
		{"no kind", "dir/f.yaml", "# values\n\napiVersion: v1\nfoo: hunter2", "dir/f.yaml:3: kind is missing: not a Kubernetes object"},
		{"no apiVersion", "f.yaml", "kind: X", "f.yaml:1: apiVersion is missing"},
		{"a number for a kind", "f.yaml", "apiVersion: v1\nkind: 1", "f.yaml:1: kind is missing"},
		{"the second document", "f.yaml", "apiVersion: v1\nkind: X\n---\n\nfoo: 1", "f.yaml:5: apiVersion is missing"},
		{"text", "f.yaml", "hunter2", "f.yaml:1: a document must be one object"},
		{"a list of objects", "f.yaml", "- apiVersion: v1", "f.yaml:1: a document must be one object"},
		{"an item that is no object", "f.yaml", "apiVersion: v1\nkind: List\nitems: [hunter2]", "f.yaml:1: a document must be one object"},
		{"a null item", "f.yaml", "apiVersion: v1\nkind: List\nitems: [~]", "f.yaml:1: a document must be one object"},
		{"an item without kind", "f.yaml", "apiVersion: v1\nkind: List\nitems: [{metadata: {name: a}}]", "f.yaml:1: apiVersion is missing"},
		{"items that are a map", "f.yaml", "apiVersion: v1\nkind: List\nitems: {a: b}", "f.yaml:1: items of a List must be a list"},
		{"an empty JSON file", "f.json", "", "f.json:1: not JSON"},
		{"two JSON objects", "f.json", "{\"apiVersion\":\"v1\",\"kind\":\"X\"}\n{}", "f.json:2: a JSON file must hold exactly one object"},
		{"a duplicate JSON key", "f.json", "{\n\"a\": 1,\n\"a\": \"hunter2\"}", `f.json:3: key "a" is set twice`},
		{"broken JSON", "f.json", "{\n\"a\": hunter2}", "f.json:2: not JSON"},
		{"JSON that ends", "f.json", "{\n\"a\": [1,", "f.json:2: not JSON"},
		{"JSON with a comma too much", "f.json", `{"a": 1,}`, "f.json:1: not JSON"},
		{"JSON infinity", "f.json", `{"a": 1e999}`, "f.json:1: a number must be finite"},
		{"JSON depth", "f.json", `{"a":` + deep(9000) + `}`, "f.json:1: more than 500 levels deep"},
		{"YAML in a JSON file", "f.json", "apiVersion: v1", "f.json:1: not JSON"},
		{"a JSON list", "f.json", "[]", "f.json:1: a document must be one object"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			began := time.Now()
			objs, err := ParseYAML(tt.file, []byte(tt.text))
			if !fault.Is(err, fault.Invalid) || objs != nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), tt.file+":") {
				t.Errorf("got %v, %d objects; want %q", err, len(objs), tt.want)
			}
			if err != nil && (strings.Contains(err.Error(), "hunter2") || len(err.Error()) > 400) {
				t.Errorf("the error shows a value, or too much: %.500s", err)
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}
