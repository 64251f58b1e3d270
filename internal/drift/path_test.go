package drift

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"slipway/internal/ignore"
	"slipway/internal/manifest"
)

func decode(t testing.TB, text string) map[string]any {
	t.Helper()
	var o map[string]any
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestAPathIsFoundInAnObject(t *testing.T) {
	o := decode(t, `{a: {b: [{name: x, v: 1}, {name: 'y"]', v: 2}], "c.d/e~f": 3, "": 4}, l: [5, [6]]}`)
	for path, want := range map[string]string{
		".a": "/a", `.a.b[name="x"].v`: "/a/b/0/v", `.a.b[name="y\"]"].v`: "/a/b/1/v", `.a["c.d/e~f"]`: "/a/c.d~1e~0f", `.a[""]`: "/a/",
		".l[1][0]": "/l/1/0", ".l[2]": "", ".l[-1]": "", ".a.b[name=\"z\"]": "", ".a.b.c": "", ".x": "", "a": "", ".a[": "", `.a["`: "", ".a[]": "", ".l[name=x]": "",
	} {
		s, ok := locate(o, path)
		if got := s.pointer(); ok != (want != "") || ok && got != want {
			t.Errorf("%s is %q, %v, want %q", path, got, ok, want)
		}
	}
}

// What an apply leaves alone: whatever the difference, sending the fields as they are live changes nothing.
func TestFieldsThatAreLeftAreSentAsTheyAre(t *testing.T) {
	for name, c := range map[string]struct{ git, live, want string }{
		"a value":              {"{a: {b: 1, c: 1}}", "{a: {b: 2, c: 1}}", "{a: {b: 2, c: 1}}"},
		"a field that went":    {"{a: {b: 1, c: 1}}", "{a: {c: 1}}", "{a: {c: 1}}"},
		"an item of a list":    {"{l: [{name: x, v: 1}, {name: z, v: 1}]}", "{l: [{name: z, v: 1}, {name: x, v: 2}]}", "{l: [{name: x, v: 2}, {name: z, v: 1}]}"},
		"an item that went":    {"{l: [{name: x}, {name: z}]}", "{l: [{name: z}]}", "{l: [{name: z}]}"},
		"a list by place":      {"{l: [1, 2]}", "{l: [1, 3]}", "{l: [1, 3]}"},
		"a list":               {"{l: [1]}", "{l: [1, 2]}", "{l: [1, 2]}"},
		"what others added":    {"{a: 1}", "{a: 1, b: 2}", "{a: 1}"},
		"a name with dots":     {`{"x.y/z": 1}`, `{"x.y/z": 2}`, `{"x.y/z": 2}`},
		"a map that is gone":   {"{a: {b: {c: 1}}}", "{a: {}}", "{a: {}}"},
		"a value in its place": {"{a: {b: 1}}", "{a: 3}", "{a: 3}"},
	} {
		t.Run(name, func(t *testing.T) {
			git, live := &unstructured.Unstructured{Object: decode(t, c.git)}, &unstructured.Unstructured{Object: decode(t, c.live)}
			f := ignore.Of(git, live)
			for _, x := range manifest.Changes(live.Object, git.Object) {
				leave(f, x.Path, git, live)
			}
			if d := cmp.Diff(decode(t, c.want), f.Merge().Object); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAnotherOrderOfNamedItemsIsADifference(t *testing.T) {
	a, b := decode(t, "{s: {l: [{name: x}, {name: z, in: [{name: p}, {name: q}]}], o: [2, 1]}}"), decode(t, "{s: {l: [{name: z, in: [{name: q}, {name: p}]}, {name: x}], o: [2, 1]}}")
	var got []string
	for _, f := range orders("", a, b) {
		got = append(got, f.Path)
	}
	if d := cmp.Diff([]string{".s.l", `.s.l[name="z"].in`}, got); d != "" {
		t.Error(d)
	}
	if got := orders("", a, a); got != nil {
		t.Errorf("%v", got)
	}
}
