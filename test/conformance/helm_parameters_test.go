//go:build cluster

package conformance

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// parameter is one of spec.source.helm.parameters.
type parameter struct {
	Name        string `json:"name"`
	Value       string `json:"value"`
	ForceString bool   `json:"forceString,omitempty"`
}

const bare = "apiVersion: v2\nname: web\nversion: 1.0.0\n"

const dumpValues = `apiVersion: v1
kind: ConfigMap
metadata: {name: x}
data: {json: {{ .Values | toJson | quote }}, go: {{ .Values | quote }}}
`

const baseValues = `
map: {a: 1, b: {c: 2, d: 3}}
list: [a, {k: v, l: w}, [x, y]]
scalar: text
nothing: null
`

// dumper is a chart that shows its values.
func dumper() chartCase {
	return chartCase{name: "parameters", dir: chartDir, files: map[string][]byte{
		chartDir + "/Chart.yaml": []byte(bare), chartDir + "/values.yaml": []byte(baseValues), chartDir + "/templates/x.yaml": []byte(dumpValues),
	}}
}

// accepted are parameters that both read, and read alike.
var accepted = [][]parameter{
	{{Name: "a", Value: "b"}},
	{{Name: "a", Value: ""}},
	{{Name: "a", Value: " "}},
	{{Name: "a", Value: "5"}, {Name: "b", Value: "-5"}, {Name: "c", Value: "0"}, {Name: "d", Value: "007"}, {Name: "e", Value: "+5"}},
	{{Name: "a", Value: "1.5"}, {Name: "b", Value: "1e3"}, {Name: "c", Value: "0x1F"}, {Name: "d", Value: "1_000"}, {Name: "e", Value: "00"}, {Name: "f", Value: "-0"}},
	{{Name: "a", Value: "9223372036854775807"}, {Name: "b", Value: "9223372036854775808"}},
	{{Name: "a", Value: "true"}, {Name: "b", Value: "False"}, {Name: "c", Value: "TRUE"}, {Name: "d", Value: "yes"}, {Name: "e", Value: "truex"}},
	{{Name: "a", Value: "null"}, {Name: "b", Value: "NULL"}, {Name: "c", Value: "~"}, {Name: "map.a", Value: "null"}, {Name: "scalar", Value: "null"}},
	{{Name: "a", Value: "5", ForceString: true}, {Name: "b", Value: "true", ForceString: true}, {Name: "c", Value: "null", ForceString: true}, {Name: "d", Value: "", ForceString: true}},
	{{Name: "a", Value: "x,y"}, {Name: "b", Value: "x,y=z"}, {Name: "c", Value: ","}, {Name: "d", Value: "x,,y,"}},
	{{Name: "a", Value: `x\,y`}, {Name: "b", Value: `x\y`}, {Name: "c", Value: `x\\y`}},
	{{Name: "a", Value: "x=y"}, {Name: "b", Value: "=="}, {Name: "c", Value: "a.b[0]=c"}},
	{{Name: "a", Value: "{x,y}"}, {Name: "b", Value: "{}"}, {Name: "c", Value: "{x}"}, {Name: "d", Value: "{1,true,null,}"}, {Name: "e", Value: "{1,true}", ForceString: true}},
	{{Name: "a", Value: `{x\,y,z}`}, {Name: "b", Value: "{ x , y }"}, {Name: "c", Value: "{a=b,c=d}"}},
	{{Name: "a", Value: `\{x\}`}, {Name: "b", Value: "x{y}"}, {Name: "c", Value: "[x]"}, {Name: "d", Value: `"x"`}, {Name: "e", Value: "'x'"}},
	{{Name: "a", Value: "größe 日本\n\tx"}, {Name: "ä", Value: "1"}},
	{{Name: "a", Value: "x {{ .Release.Name }}"}, {Name: "b", Value: "# no comment"}, {Name: "c", Value: "a: b"}},
	{{Name: "a.b.c", Value: "1"}, {Name: "a.b.d", Value: "2"}, {Name: "a.e", Value: "3"}},
	{{Name: `a\.b`, Value: "1"}, {Name: `a\.b/c\.d`, Value: "2"}, {Name: `annotations.prometheus\.io/scrape`, Value: "true", ForceString: true}},
	{{Name: `a\,b`, Value: "1"}, {Name: `c\=d`, Value: "2"}, {Name: `e\\f`, Value: "3"}, {Name: `g\[0\]`, Value: "4"}},
	{{Name: "a[0]", Value: "x"}},
	{{Name: "a[2]", Value: "x"}},
	{{Name: "a[0].b", Value: "x"}},
	{{Name: "a[1].b.c[1]", Value: "x"}},
	{{Name: "a[0][1]", Value: "x"}},
	{{Name: "a[0][1].b", Value: "x"}},
	{{Name: "list[0]", Value: "z"}},
	{{Name: "list[1].k", Value: "z"}},
	{{Name: "map.b", Value: "flat"}},
	{{Name: "map.b.c", Value: "9"}, {Name: "map.new.x", Value: "1"}},
	{{Name: "map", Value: "null"}},
	{{Name: "nothing.x", Value: "1"}},
	{{Name: "a", Value: "first"}, {Name: "a", Value: "last"}},
	{{Name: "a", Value: "1"}, {Name: "a", Value: "2", ForceString: true}},
	{{Name: "a", Value: "2", ForceString: true}, {Name: "a", Value: "1"}},
	{{Name: "global.x", Value: "1"}},
	{{Name: " a ", Value: "spaces"}},
	{{Name: "a-b_c/d", Value: "1"}, {Name: "1", Value: "number"}, {Name: "a:b", Value: "colon"}},
	{{Name: "a", Value: "$ARGOCD_APP_NAME/$ARGOCD_APP_NAMESPACE $$5"}},
	{{Name: "a", Value: "https://example.com/?a=b&c=d,e#f"}, {Name: "b", Value: "key1=a,key2=b"}, {Name: "c", Value: `{"json": [1, 2]}`}},
	{{Name: "a", Value: `x\`}},
}

// refused are parameters that neither reads.
var refused = []parameter{
	{Name: "a", Value: "{{ .Release.Name }}"},
	{Name: "a", Value: "{x,y"},
	{Name: "a[", Value: "x"},
	{Name: "a[-1]", Value: "x"},
	{Name: "a[x]", Value: "x"},
	{Name: "a[70000]", Value: "x"},
	{Name: "a..b", Value: "x"},
	{Name: "a.", Value: "x"},
	{Name: "a,b", Value: "x"},
	{Name: "a[0]b", Value: "x"},
	{Name: "a", Value: "{x}y"},
	{Name: `a\`, Value: "x"},
}

// stricter are parameters that helm --set reads and slipway does not.
var stricter = []struct {
	parameter
	says, why string
}{
	{parameter{Name: ".a", Value: "x"}, "has an empty part in its name", "Helm makes a key of no characters, which nobody means"},
	{parameter{Name: "a=b", Value: "x"}, "unescaped '=' in its name", "Helm sets a to b=x: the name would decide a value (CVE-2022-36055)"},
}

// TestParametersMeanWhatHelmsSetFlagMakesOfThem holds the reading of parameters, which never joins name and value to one
// line (CVE-2022-36055, CVE-2022-23524), against helm --set as Argo CD calls it.
func TestParametersMeanWhatHelmsSetFlagMakesOfThem(t *testing.T) {
	both := 0
	for _, list := range accepted {
		t.Run(fmt.Sprint(list), func(t *testing.T) {
			got := given(t, list...)
			if len(got.differences) > 0 || got.both != 1 {
				t.Errorf("%q; helm %q, slipway %q", got.differences, got.helm, got.ours)
			}
			both += got.both
		})
	}
	for _, p := range refused {
		t.Run(fmt.Sprint("refused ", p), func(t *testing.T) {
			got := given(t, p)
			if got.helm == "" || !strings.Contains(got.ours, "spec.source.helm.parameters[0]: parameter "+strconv.Quote(p.Name)) {
				t.Errorf("helm %q, slipway %q", got.helm, got.ours)
			}
		})
	}
	for _, p := range stricter {
		t.Run(fmt.Sprint("stricter ", p.parameter), func(t *testing.T) {
			got := given(t, p.parameter)
			if got.helm != "" || !strings.Contains(got.ours, p.says) {
				t.Errorf("helm %q, slipway %q, want %q only of slipway: %s", got.helm, got.ours, p.says, p.why)
			}
		})
	}
	t.Logf("%d sets of parameters read alike, %d refused by both, %d by slipway only", both, len(refused), len(stricter))
}

func given(t *testing.T, list ...parameter) outcome {
	t.Helper()
	block, err := yaml.Marshal(map[string]any{"parameters": list})
	if err != nil {
		t.Fatal(err)
	}
	return renderBoth(t, dumper(), variant{helm: string(block)})
}
