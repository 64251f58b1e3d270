package manifest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func secret(data map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "s", "namespace": "n"}, "data": data,
	}}
}

func TestMarksTellEqualFromDifferentAndNothingElse(t *testing.T) {
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	before := secret(map[string]any{"same": encode("one"), "changed": encode("two"), "gone": encode("three"), "wrapped": "aGVs\nbG8="})
	after := secret(map[string]any{"same": encode("one"), "changed": encode("a much longer value"), "new": encode("four"), "wrapped": "aGVsbG8="})
	a, b := MaskPair(before, after)
	want := []map[string]any{
		{"same": redacted, "changed": redactedOld, "gone": redacted, "wrapped": redacted},
		{"same": redacted, "changed": redactedNew, "new": redacted, "wrapped": redacted},
	}
	if diff := cmp.Diff(want, []map[string]any{a.Object["data"].(map[string]any), b.Object["data"].(map[string]any)}); diff != "" { //nolint:forcetypeassert,errcheck // a test
		t.Error(diff)
	}
	if before.Object["data"].(map[string]any)["same"] != encode("one") { //nolint:forcetypeassert,errcheck // a test
		t.Error("the object itself was masked")
	}
	c, d := MaskPair(after, before)
	if c.Object["data"].(map[string]any)["changed"] != redactedOld || d.Object["data"].(map[string]any)["changed"] != redactedNew { //nolint:forcetypeassert,errcheck // a test
		t.Error("the sides are not treated alike")
	}
}

func TestMaskingNothingIsNothing(t *testing.T) {
	if a, b := MaskPair(nil, nil); a != nil || b != nil || Mask(nil) != nil {
		t.Error("something came of nothing")
	}
	a, b := MaskPair(nil, secret(map[string]any{"k": "djE="}))
	if a != nil || b.Object["data"].(map[string]any)["k"] != redacted { //nolint:forcetypeassert,errcheck // a test
		t.Errorf("%v %v", a, b)
	}
}

func TestWhatIsNoSecretIsShown(t *testing.T) {
	for _, text := range []string{
		configMap, "apiVersion: v1\nkind: Secret\nmetadata: {name: s, annotations: {x: z}}\ntype: Opaque\nimmutable: true",
		"apiVersion: example.com/v1\nkind: Issuer\nmetadata: {name: i}\nspec: {ref: {kind: Secret, name: s}, data: {a: b}}",
		"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\nstringData:",
	} {
		o := one(t, text)
		if diff := cmp.Diff(o.Object, Mask(o.Unstructured).Object); diff != "" {
			t.Errorf("%s: %s", o.ID(), diff)
		}
	}
}

// hide puts a secret value into one of the places where manifests have them.
var hide = []struct {
	name string
	in   func(v any) map[string]any
}{
	{"data", func(v any) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": "Secret", "data": map[string]any{"k": v}}
	}},
	{"stringData", func(v any) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": "Secret", "stringData": map[string]any{"k": v}}
	}},
	{"another version", func(v any) map[string]any {
		return map[string]any{"apiVersion": "vault.example.com/v9", "kind": "Secret", "data": map[string]any{"k": v}}
	}},
	{"data that is no map", func(v any) map[string]any { return map[string]any{"kind": "Secret", "data": v, "stringData": []any{v}} }},
	{"a map in data", func(v any) map[string]any {
		return map[string]any{"kind": "Secret", "data": map[string]any{"k": map[string]any{"deeper": []any{v}}}}
	}},
	{"a list", func(v any) map[string]any {
		return map[string]any{"kind": "List", "items": []any{map[string]any{"kind": "Secret", "data": map[string]any{"k": v}}}}
	}},
	{"a list of Secrets", func(v any) map[string]any {
		return map[string]any{"kind": "SecretList", "items": []any{map[string]any{"data": map[string]any{"k": v}}}}
	}},
	{"a custom resource", func(v any) map[string]any {
		return map[string]any{"kind": "Foo", "spec": map[string]any{"templates": []any{map[string]any{"kind": "Secret", "data": map[string]any{"k": v}}}}}
	}},
	{"stringData of a custom resource", func(v any) map[string]any {
		return map[string]any{"kind": "SopsSecret", "spec": map[string]any{"secretTemplates": []any{map[string]any{"stringData": map[string]any{"k": v}}}}}
	}},
	{"the annotation of client-side apply", func(v any) map[string]any {
		return map[string]any{"kind": "ConfigMap", "metadata": map[string]any{"annotations": map[string]any{
			"kubectl.kubernetes.io/last-applied-configuration": fmt.Sprintf(`{"data":{"k":%q}}`, v),
		}}}
	}},
	{"the annotation in an embedded object", func(v any) map[string]any {
		return map[string]any{"kind": "Foo", "spec": map[string]any{"object": map[string]any{"metadata": map[string]any{"annotations": map[string]any{
			"example.com/last-applied-configuration": v,
		}}}}}
	}},
}

// CVE-2026-42880, CVE-2026-45737, CVE-2023-40029: a value that was masked in one place was shown in another.
func TestRandomSecretValuesAreInNoByteThatIsShown(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	word := func() string {
		b := make([]byte, 12+r.IntN(40))
		for i := range b {
			b[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"[r.IntN(64)]
		}
		return "Zq" + string(b)
	}
	for _, place := range hide {
		t.Run(place.name, func(t *testing.T) {
			for range 200 {
				one, two := word(), word()
				first := &unstructured.Unstructured{Object: place.in(one)}
				second := &unstructured.Unstructured{Object: place.in(base64.StdEncoding.EncodeToString([]byte(two)))}
				a, b := MaskPair(first, second)
				shown, err := json.Marshal([]any{a.Object, b.Object, Mask(first).Object, Mask(second).Object})
				if err != nil {
					t.Fatal(err)
				}
				text := MaskText(fmt.Sprintf("the server refused %s, that is %q and %s", one, two, base64.StdEncoding.EncodeToString([]byte(two))), first, second)
				for _, out := range []string{string(shown), text, MaskError("bad: "+one, first)} {
					if place.name == "the annotation of client-side apply" || place.name == "the annotation in an embedded object" {
						if out != string(shown) {
							continue // an error about a ConfigMap is shown; the annotation is one whole secret to MaskText
						}
					}
					for _, v := range []string{one, two, base64.StdEncoding.EncodeToString([]byte(one)), base64.StdEncoding.EncodeToString([]byte(two))} {
						if strings.Contains(out, v) {
							t.Fatalf("%s is in %s", v, out)
						}
					}
				}
			}
		})
	}
}

func TestAMarkDoesNotTellTheLength(t *testing.T) {
	short, long := Mask(secret(map[string]any{"k": "YQ=="})), Mask(secret(map[string]any{"k": strings.Repeat("YWFh", 1000)}))
	if diff := cmp.Diff(short, long); diff != "" {
		t.Error(diff)
	}
}

// kube-apiserver 1.36.3 answered a bad stringData with its value (CVE-2025-23216).
func TestAServersMessageAboutASecretIsReplaced(t *testing.T) {
	const message = `failed to create typed patch object (n/s; /v1, Kind=Secret): .stringData.k: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"SECRETVALUE":"x"}}`
	for _, place := range hide[:9] {
		got := MaskError(message, &unstructured.Unstructured{Object: place.in("v")})
		if strings.Contains(got, "SECRETVALUE") || !strings.Contains(got, "not shown") {
			t.Errorf("%s: %s", place.name, got)
		}
	}
	if got := MaskError(message, secret(nil)); !strings.Contains(got, "Secret n/s") || strings.Contains(got, "SECRETVALUE") {
		t.Errorf("a Secret without data: %s", got)
	}
	plain := obj("v1 ConfigMap s/c").Unstructured
	if got := MaskError("metadata.name: Invalid\x1b[31m", plain); got != "metadata.name: Invalid[31m" {
		t.Errorf("a ConfigMap: %q", got)
	}
	if got := MaskError(strings.Repeat("x", 9000), nil); len(got) != MaxReason {
		t.Errorf("%d bytes", len(got))
	}
}

func TestMaskTextFindsEveryFormOfAValue(t *testing.T) {
	u := secret(map[string]any{"k": base64.StdEncoding.EncodeToString([]byte("line one is secret\nline two \"too\"\n")), "n": "MTIz"})
	for in, want := range map[string]string{
		"bad line: line one is secret!": "bad line: [redacted]!",
		`quoted "line two \"too\""`:     `quoted "[redacted]"`,
		"plain line two \"too\" end":    "plain [redacted] end",
		"base64 " + base64.StdEncoding.EncodeToString([]byte("line one is secret\nline two \"too\"\n")): "base64 [redacted]",
		"code 123 stays, MTIz does not": "code 123 stays, [redacted] does not",
		"nothing of it":                 "nothing of it",
	} {
		if got := MaskText(in, nil, u); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzMaskPair(f *testing.F) {
	f.Add("hunter2hunter2", "other-value-1234", 3)
	f.Fuzz(func(t *testing.T, one, two string, place int) {
		if len(one) < 8 || strings.Contains("[redacted, before] [redacted, after] apiVersion metadata annotations last-applied-configuration", one) {
			return
		}
		p := hide[uint(place)%uint(len(hide))]
		a, b := MaskPair(&unstructured.Unstructured{Object: p.in(one)}, &unstructured.Unstructured{Object: p.in(two)})
		empty, _ := MaskPair(&unstructured.Unstructured{Object: p.in("")}, nil)
		for _, m := range []*unstructured.Unstructured{a, b} {
			out := strings.NewReplacer(redactedOld, redacted, redactedNew, redacted).Replace(string(canonical(nil, m.Object)))
			if out != string(canonical(nil, empty.Object)) {
				t.Errorf("%s: the masked object depends on its secret: %s", p.name, out)
			}
		}
	})
}
