package manifest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: s, labels: {a: b}}\ndata: {x: '1', y: '2'}\n"

func TestADigestSaysWhatIsDesiredAndNothingElse(t *testing.T) {
	base := DigestOf(one(t, configMap).Unstructured)
	if !strings.HasPrefix(base, "sha256:") || len(base) != len("sha256:")+64 {
		t.Fatalf("digest %q", base)
	}
	for name, text := range map[string]string{
		"keys in another order":   "kind: ConfigMap\ndata: {y: '2', x: '1'}\nmetadata: {namespace: s, name: c, labels: {a: b}}\napiVersion: v1",
		"a status":                configMap + "status: {phase: x}",
		"what the server writes":  strings.Replace(configMap, "name: c,", "name: c, uid: u, generation: 3, resourceVersion: '9', creationTimestamp: '2026-01-02T03:04:05Z', managedFields: [{manager: x}],", 1),
		"our label":               strings.Replace(configMap, "{a: b}", "{a: b, slipway.dev/application: x}", 1),
		"our annotations":         strings.Replace(configMap, "labels:", "annotations: {slipway.dev/application: a/b, slipway.dev/digest: d, slipway.dev/fence: '3'}, labels:", 1),
		"empty annotations":       strings.Replace(configMap, "labels:", "annotations: {}, labels:", 1),
		"annotations that are ~":  strings.Replace(configMap, "labels:", "annotations: , labels:", 1),
		"an empty status and all": configMap + "status: {}",
	} {
		if got := DigestOf(one(t, text).Unstructured); got != base {
			t.Errorf("%s: another digest", name)
		}
	}
	for name, text := range map[string]string{
		"a value":              strings.Replace(configMap, "'1'", "'3'", 1),
		"a type":               strings.Replace(configMap, "'1'", "1", 1),
		"a label":              strings.Replace(configMap, "a: b", "a: c", 1),
		"one label less":       strings.Replace(configMap, ", labels: {a: b}", "", 1),
		"an annotation":        strings.Replace(configMap, "labels:", "annotations: {x: y}, labels:", 1),
		"a consent to pruning": strings.Replace(configMap, "labels:", "annotations: {slipway.dev/allow-prune: 'true'}, labels:", 1),
		"a name":               strings.Replace(configMap, "name: c", "name: d", 1),
		"a version":            strings.Replace(configMap, "v1", "v2", 1),
		"a key":                strings.Replace(configMap, "x:", "z:", 1),
		"null for nothing":     configMap + "immutable:",
	} {
		if got := DigestOf(one(t, text).Unstructured); got == base {
			t.Errorf("%s: the same digest", name)
		}
	}
}

func TestStampingKeepsTheDigest(t *testing.T) {
	for _, text := range []string{configMap, "apiVersion: v1\nkind: Namespace\nmetadata: {name: bare}", "apiVersion: v1\nkind: Namespace\nmetadata: {name: x, labels: {slipway.dev/application: old}, annotations: {slipway.dev/fence: '7'}}"} {
		o := one(t, text)
		want := DigestOf(o.Unstructured)
		Stamp(o.Unstructured, "argocd/web", want, 9)
		if got := DigestOf(o.Unstructured); got != want {
			t.Errorf("%s: digest %s, stamped %s", o.ID(), want, got)
		}
	}
}

func TestADigestDoesNotChangeItsObject(t *testing.T) {
	o := one(t, strings.Replace(configMap, "labels:", "uid: u, labels:", 1)+"status: {a: 1}")
	Stamp(o.Unstructured, "argocd/web", "d", 1)
	before := o.DeepCopy()
	DigestOf(o.Unstructured)
	if diff := cmp.Diff(before, o.Unstructured); diff != "" {
		t.Error(diff)
	}
}

func TestNumbersHaveOneForm(t *testing.T) {
	digest := func(v any) string {
		return DigestOf(&unstructured.Unstructured{Object: map[string]any{"spec": v}})
	}
	for _, same := range [][]any{
		{int64(1), 1, int32(1), 1.0, json.Number("1"), json.Number("1.0")}, {int64(-3), -3.0}, {0.1, json.Number("0.1")},
		{1e300, json.Number("1e300")}, {int64(1) << 53, float64(1 << 53)}, {0.0, int64(0)},
	} {
		for _, v := range same[1:] {
			if digest(v) != digest(same[0]) {
				t.Errorf("%T %v and %T %v differ", v, v, same[0], same[0])
			}
		}
	}
	seen := map[string]string{}
	for _, v := range []any{int64(1), "1", true, "true", nil, "null", "", []any{}, map[string]any{}, []any{nil}, 1.5, []any{"a", "b"}, []any{"a,b"}, `a","b`, `a\`, `a\\`, "a\x00", map[string]any{"a": "b", "c": "d"}, map[string]any{`a":"b","c`: "d"}} {
		d := digest(v)
		if other, ok := seen[d]; ok {
			t.Errorf("%#v and %s have one digest", v, other)
		}
		seen[d] = fmt.Sprintf("%#v", v)
	}
}

func BenchmarkDigestOf(b *testing.B) {
	o := one(b, configMap)
	data := map[string]any{}
	for i := range 200 {
		data[fmt.Sprintf("key-%d", i)] = strings.Repeat("some configuration ", 10)
	}
	o.Object["data"] = data
	b.ReportAllocs()
	for b.Loop() {
		DigestOf(o.Unstructured)
	}
}
