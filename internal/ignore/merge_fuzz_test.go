package ignore_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"slipway/internal/app"
	. "slipway/internal/ignore"
)

// Whatever is ignored: merging never panics, changes nothing of its inputs, is the same again, and with all ignored
// nothing is sent that is not live.
func FuzzMerge(f *testing.F) {
	for _, s := range [][4]string{
		{"{a: {b: 1}, l: [{name: x, v: 1}]}", "{a: {b: 2}, l: [{name: z}, {name: x, v: 2}]}", "/l/0/v", ".a.b"},
		{"{l: [1, 2]}", "{l: [2]}", "/l/1", ".l[-1]"},
		{`{"": {"~/": 1}}`, `{"": {"~/": 2}}`, "//~0~1", ".[]"},
		{"{a: 1}", "{a: {b: [null]}}", "/a/b/0", ".."},
	} {
		f.Add(s[0], s[1], s[2], s[3], "{'f:l': {'k:{\"name\":\"x\"}': {.: {}, 'f:v': {}}}}")
	}
	f.Fuzz(func(t *testing.T, git, live, pointer, jq, fields string) {
		if len(git)+len(live)+len(fields) > 4096 {
			return
		}
		said, is := parsed(git), parsed(live)
		if _, meta := is["metadata"]; said == nil || is == nil || meta {
			return
		}
		a, _, err := app.DecodeObject("f", nil, declared(pointer, jq))
		if err != nil {
			return
		}
		rules, err := Compile(a.IgnoreDifferences)
		if err != nil {
			t.Fatal(err)
		}
		l := &unstructured.Unstructured{Object: is}
		if v := parsed(fields); v != nil {
			l = owned(t, live, map[string]string{"slipway": fields, "x": fields})
		}
		s := &unstructured.Unstructured{Object: said}
		before := []*unstructured.Unstructured{s.DeepCopy(), l.DeepCopy()}
		found, err := rules.Of(t.Context(), s, l)
		if err != nil {
			return
		}
		once, twice := found.Merge(), found.Merge()
		if d := cmp.Diff(once, twice) + cmp.Diff(before[0], s) + cmp.Diff(before[1], l); d != "" {
			t.Fatal(d)
		}
		all := Of(s, l)
		all.Leave()
		within(t, all.Merge().Object, l.Object)
	})
}

func within(t *testing.T, part, whole map[string]any) {
	t.Helper()
	for k, v := range part {
		w, ok := whole[k]
		if !ok {
			t.Fatalf("%s is sent and not live", k)
		}
		m, isMap := v.(map[string]any)
		if n, too := w.(map[string]any); isMap && too {
			within(t, m, n)
		}
	}
}

func parsed(text string) map[string]any {
	var o map[string]any
	if yaml.Unmarshal([]byte(text), &o) != nil {
		return nil
	}
	return o
}

func declared(pointer, jq string) map[string]any {
	return map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": map[string]any{"name": "shop"},
		"spec": map[string]any{
			"project": "default", "source": map[string]any{"repoURL": "https://github.com/myorg/shop", "path": "."}, "destination": map[string]any{"name": "staging"},
			"ignoreDifferences": []any{map[string]any{"kind": "*", "jsonPointers": []any{pointer}, "jqPathExpressions": []any{jq}}},
		},
	}
}
