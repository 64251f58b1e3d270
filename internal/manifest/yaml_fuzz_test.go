package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
)

// checkParsed holds what is true of whatever is parsed: it is an object, may be copied and digested, and goes through
// JSON unchanged in its digest.
func checkParsed(t *testing.T, objs []Object) {
	t.Helper()
	for _, o := range objs {
		digest := DigestOf(o.DeepCopy())
		b, err := o.MarshalJSON()
		if err != nil {
			t.Fatalf("%v is no JSON: %v", o.Object, err)
		}
		again := &unstructured.Unstructured{}
		if err := again.UnmarshalJSON(b); err == nil && !again.IsList() && DigestOf(again) != digest {
			t.Errorf("another digest after JSON: %s", b)
		}
		_ = Refuse(o)
		ListMapDuplicates(o)
		Mask(o.Unstructured)
		Normalize(o.Unstructured)
	}
}

func FuzzParseYAML(f *testing.F) {
	for _, s := range parityTable {
		f.Add(s)
	}
	f.Add("metadata: {name: a}\nspec: {template: {spec: {containers: [{env: [{name: A}, {name: A}]}]}}}")
	f.Add("items: [{kind: Secret, apiVersion: v1, data: {a: b}}]")
	f.Fuzz(func(t *testing.T, s string) {
		text := s + head
		objs, err := ParseYAML("f.yaml", []byte(text))
		if err != nil {
			if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), "f.yaml:") {
				t.Fatalf("error %v", err)
			}
			return
		}
		// One plain document: what both accept, both read alike. Left out are merges, which the reference refuses in its
		// strict form when they are overridden, and the tag !, of which the parser leaves no trace.
		if len(objs) == 1 && !strings.Contains(s, "---") && !strings.Contains(s, "...") && !strings.Contains(s, "<<") &&
			!strings.Contains(strings.ReplaceAll(s, "!!", ""), "!") {
			if want, err := values(text); err == nil {
				if diff := cmp.Diff(want, objs[0].Object); diff != "" {
					t.Errorf("%q: %s", s, diff)
				}
			}
		}
		checkParsed(t, objs)
	})
}

func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`{"apiVersion":"v1","kind":"X","a":[1,2.5,null,true,"x"]}`, `{"kind":"List","apiVersion":"v1","items":[{}]}`, `{"a":1,"a":2}`, `{`, `1e999`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		objs, err := ParseYAML("f.json", []byte(s))
		if err != nil {
			if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), "f.json:") {
				t.Fatalf("error %v", err)
			}
			return
		}
		checkParsed(t, objs)
	})
}
