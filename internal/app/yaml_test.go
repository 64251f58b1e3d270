package app_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	. "slipway/internal/app"
	"slipway/internal/fault"
)

// text is an Application named name as one flow mapping.
func text(name string) string {
	return `{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: ` + name + `}, spec: {project: default, source: {repoURL: "https://github.com/a/b", path: .}, destination: {name: x}}}`
}

func decodedNames(t *testing.T, file string) []string {
	t.Helper()
	d, err := Decode("f.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range d.Applications {
		names = append(names, a.Application.Name)
	}
	return append(names, d.Others...)
}

func TestDocumentsOfAFile(t *testing.T) {
	a, b := text("a"), text("b")
	for name, tc := range map[string]struct {
		file string
		want []string
	}{
		"none":                             {"", nil},
		"only comments":                    {"# nothing\n---\n# here\n", nil},
		"one":                              {a, []string{"a"}},
		"two":                              {a + "\n---\n" + b, []string{"a", "b"}},
		"empty ones between":               {"---\n---\n" + a + "\n---\n\n---\n" + b + "\n---\n", []string{"a", "b"}},
		"null":                             {a + "\n---\nnull\n", []string{"a"}},
		"with a comment after the dashes":  {"--- # first\n" + a + "\n--- # second\n" + b, []string{"a", "b"}},
		"on the line of the dashes":        {"--- " + a + "\n--- " + b + "\n", []string{"a", "b"}},
		"with an end":                      {a + "\n...\n---\n" + b + "\n...\n", []string{"a", "b"}},
		"with the line ends of Windows":    {a + "\r\n---\r\n" + b + "\r\n", []string{"a", "b"}},
		"with a byte order mark":           {"\ufeff" + a, []string{"a"}},
		"JSON":                             {`{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}`, []string{"Secret s"}},
		"with objects of other groups":     {"{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: ns}}\n---\n" + a + "\n---\n{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}}", []string{"a", "ConfigMap ns/c", "Deployment d"}},
		"in a List":                        {"apiVersion: v1\nkind: List\nitems:\n- " + a + "\n- " + b, []string{"a", "b"}},
		"in an empty List":                 {"apiVersion: v1\nkind: List\nitems: []", nil},
		"dashes within a text":             {strings.Replace(a, "metadata: {", `metadata: {annotations: {x: "a --- b"}, `, 1), []string{"a"}},
		"more than three dashes are a key": {"apiVersion: v1\nkind: ConfigMap\n----: x\nmetadata: {name: c}", []string{"ConfigMap c"}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, decodedNames(t, tc.file)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestWhatIsNoFileOfDeclarations(t *testing.T) {
	a := text("a")
	for name, tc := range map[string]struct{ file, want string }{
		"a syntax error":               {a + "\n---\na: [\n", "f.yaml:3: did not find expected node content"},
		"a tab":                        {"a:\n\tb: c", "f.yaml:2: found character that cannot start any token"},
		"a template":                   {"a: b\nname: {{ .Values.name }}", "f.yaml:2: name: a key is no text; where it is a template, put it in quotes"},
		"no mapping":                   {"---\n- a", "f.yaml:2: want a mapping, got a list"},
		"a text":                       {"hello", "f.yaml:1: want a mapping, got a string"},
		"no kind":                      {"apiVersion: v1", "f.yaml:1: is no object: apiVersion or kind is missing"},
		"no kind of ours":              {"apiVersion: argoproj.io/v1alpha1", "f.yaml:1: kind: is missing"},
		"a project":                    {"apiVersion: argoproj.io/v1alpha1\nkind: AppProject", `f.yaml:2: kind: "AppProject" is not supported yet`},
		"a key twice":                  {"apiVersion: v1\nkind: ConfigMap\ndata:\n  a: 1\n  b: 2\n  a: 3", "f.yaml:6: data.a: is there twice"},
		"a key twice in a flow":        {"---\n\n{a: {b: 1, b: 2}}", "f.yaml:3: a.b: is there twice"},
		"a key twice in a list":        {"a:\n- b: 1\n  b: 2", "f.yaml:3: a[0].b: is there twice"},
		"a key that a merge brings":    {"a: &a {b: 1}\nc:\n  <<: *a\n  b: 2", "f.yaml:4: key \"b\" already set in map"},
		"two keys that are one":        {"a: {1: b}\nc: {\"1\": a, 1: b}", "f.yaml:2: c.1: is there twice"},
		"two words for true":           {"on: a\nyes: b\n\"no\": c", "f.yaml:2: true: is there twice"},
		"an application twice":         {a + "\n---\n" + a, "f.yaml:3: metadata: Application argocd/a is declared twice, first at f.yaml:1"},
		"a List of no list":            {"apiVersion: v1\nkind: List\nitems: {}", "f.yaml:3: items: want a list, got a mapping"},
		"a List of texts":              {"apiVersion: v1\nkind: List\nitems: [a]", "f.yaml:3: items[0]: want a mapping, got a string"},
		"a bad one in a List":          {"apiVersion: v1\nkind: List\nitems:\n- " + strings.Replace(a, "path: .", "path: /", 1), "f.yaml:4: items[0].spec.source.path: "},
		"bytes that are no text":       {"a: \xff", "f.yaml: is not UTF-8"},
		"too many documents":           {strings.Repeat("---\n", 2001), "f.yaml: has more than 2000 documents"},
		"too large":                    {strings.Repeat("# comment\n", 600_000), "f.yaml: is larger than 5 MiB"},
		"too deep":                     {strings.Repeat("[", 102) + strings.Repeat("]", 102), "f.yaml:1: is nested deeper than 100 levels"},
		"9,000 deep (CVE-2019-11254)":  {strings.Repeat("[", 9000) + strings.Repeat("]", 9000), "f.yaml:1: is nested deeper than 100 levels"},
		"20,000 deep":                  {strings.Repeat("{a: ", 20_000), "f.yaml:1: "},
		"too many values":              {"[" + strings.Repeat("a,", 100_000) + "]", "f.yaml:1: has more than 100000 values"},
		"an alias of itself":           {"a: &a [*a]", "f.yaml:1: "},
		"an alias of nothing":          {"a: *b", "f.yaml:1: "},
		"an alias bomb":                {bomb(9), "has more than 100000 values, aliases written out"},
		"much text by aliases":         {textBomb(), "f.yaml:1: has more than 5 MiB of text, aliases written out"},
		"much text in values":          {strings.Replace(a, "path: .", "path: ., helm: {values: "+strconv.Quote(textBomb())+"}", 1), "f.yaml:1: spec.source.helm.values: line 1: has more than 5 MiB of text, aliases written out"},
		"a key twice in values":        {strings.Replace(a, "path: .", `path: ., helm: {values: "a: 1\na: 2"}`, 1), "f.yaml:1: spec.source.helm.values: line 2: a: is there twice"},
		"a key that is a mapping":      {"? {a: b}\n: c", "f.yaml:1: "},
		"a complex merge":              {"<<: [a]", "f.yaml:1: "},
		"many lines of errors in one":  {"apiVersion: v1\napiVersion: v1\nkind: a\nkind: b", "f.yaml:2: apiVersion: is there twice\nf.yaml:4: kind: is there twice"},
		"an error after a good object": {a + "\n---\n{a: 1, a: 2}", "f.yaml:3: a: is there twice"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Decode("f.yaml", []byte(tc.file))
			if err == nil {
				t.Fatalf("accepted: %+v", d)
			}
			if !strings.Contains(err.Error(), tc.want) || !fault.Is(err, fault.Invalid) {
				t.Errorf("%s error\n %v\nwant\n %s", fault.Of(err), err, tc.want)
			}
			if len(err.Error()) > 8_000 || len(d.Applications) > 0 {
				t.Errorf("an error of %d bytes with %d applications", len(err.Error()), len(d.Applications))
			}
		})
	}
}

// bomb is n levels of lists of nine aliases each: a billion laughs.
func bomb(n int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	return b.String()
}

// textBomb is 110 kB of YAML whose values are 250 MB: the decoder counts values, not bytes.
func textBomb() string {
	return `a: &a "` + strings.Repeat("x", 100_000) + "\"\nb: [" + strings.Repeat("*a,", 2500) + "]\n"
}

func TestAliasesAndMergesMeanWhatTheyMeanToKubernetes(t *testing.T) {
	file := `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: a}
spec:
  project: default
  source:
    repoURL: https://github.com/a/b
    path: apps
    helm:
      valueFiles: &files [values.yaml]
      valuesObject:
        base: &base {a: 1, b: yes}
        other:
          <<: *base
          c: 2
        files: *files
  destination: {name: x}
`
	d, err := Decode("f.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(d.Applications[0].Application.Source.Helm.ValuesObject), `{"base":{"a":1,"b":true},"files":["values.yaml"],"other":{"a":1,"b":true,"c":2}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLargeNumbersOfValuesKeepTheirDigits(t *testing.T) {
	file := strings.Replace(text("a"), "path: .", "path: ., helm: {valuesObject: {id: 9007199254740993}}", 1)
	d, err := Decode("f.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(d.Applications[0].Application.Source.Helm.ValuesObject); got != `{"id":9007199254740993}` {
		t.Errorf("got %s", got)
	}
}

func TestAnObjectOfAFileHasTheLinesOfItsText(t *testing.T) {
	source := "# declarations\napiVersion: v1\nkind: List\nitems:\n- " + text("first") + "\n- apiVersion: argoproj.io/v1alpha1\n  kind: Application\n  metadata:\n    name: shop\n  spec:\n    source:\n      chart: redis\n---\n" + text("last")
	for name, tc := range map[string]struct {
		source []byte
		want   string
	}{
		"of its text":                   {[]byte(source), "f.yaml:12: spec.source.chart: not supported yet"},
		"none without its text":         {nil, "f.yaml: Application argocd/shop: spec.source.chart: not supported yet"},
		"none of a template":            {[]byte("{{ range .Values.apps }}\n" + source + "{{ end }}"), "f.yaml: Application argocd/shop: spec.source.chart"},
		"none of a text without it":     {[]byte(text("first")), "f.yaml: Application argocd/shop: spec.source.chart"},
		"none where it is there twice":  {[]byte(source + "\n---\n" + text("shop")), "f.yaml: Application argocd/shop: spec.source.chart"},
		"of the enclosing one, if none": {[]byte(text("shop")), "f.yaml:1: spec.source.chart: not supported yet"},
	} {
		t.Run(name, func(t *testing.T) {
			obj := with(with(minimal(), "spec.source.chart", "redis"), "spec.source.path", gone)
			_, _, err := DecodeObject("f.yaml", tc.source, obj)
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}
