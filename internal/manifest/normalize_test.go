package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNormalizeGivesTheFormThatIsSent(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{
			"status and what the server writes go",
			"apiVersion: v1\nkind: Pod\nmetadata: {name: p, uid: u, generation: 1, resourceVersion: '1', creationTimestamp: null, selfLink: /x, managedFields: []}\nstatus: {}",
			"apiVersion: v1\nkind: Pod\nmetadata: {name: p}",
		},
		{
			"null maps of metadata go", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: , annotations: , namespace: }",
			"apiVersion: v1\nkind: Pod\nmetadata: {name: p}",
		},
		{
			"empty maps of metadata stay", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {}}",
			"apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {}}",
		},
		{
			"stringData is folded into data and wins", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: eA==, b: eQ==}\nstringData: {b: hello, c: ''}",
			"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: eA==, b: aGVsbG8=, c: ''}",
		},
		{
			"stringData alone", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {c: ü}",
			"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {c: w7w=}",
		},
		{
			"null is empty", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: }\nstringData: {b: }",
			"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: '', b: ''}",
		},
		{
			"null data and stringData go", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\nstringData:",
			"apiVersion: v1\nkind: Secret\nmetadata: {name: s}",
		},
		{
			"malformed stringData stays to be named", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: 1}",
			"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: 1}",
		},
		{
			"malformed data stays too", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: text\nstringData: {a: b}",
			"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: text\nstringData: {a: b}",
		},
		{
			"a custom Secret is not touched", "apiVersion: vault.example.com/v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: b}",
			"apiVersion: vault.example.com/v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: b}",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := one(t, tt.in)
			Normalize(o.Unstructured)
			if diff := cmp.Diff(one(t, tt.want).Object, o.Object); diff != "" {
				t.Error(diff)
			}
			before := o.DeepCopy()
			if Normalize(o.Unstructured); !cmp.Equal(before, o.Unstructured) {
				t.Error("a second time changes more")
			}
		})
	}
}

func TestStringDataAndItsBase64HaveOneDigest(t *testing.T) {
	a := one(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: hello}")
	b := one(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: aGVsbG8=}")
	Normalize(a.Unstructured)
	if DigestOf(a.Unstructured) != DigestOf(b.Unstructured) {
		t.Error("they differ")
	}
}
