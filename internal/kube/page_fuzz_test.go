package kube

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// What is read of a page must be what apimachinery reads, or an error.
func FuzzPage(f *testing.F) {
	f.Add(pageOf(f, item("one", "1"), item("two", "2")))
	f.Add(pageOf(f))
	f.Add([]byte("k8s\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		s := &sweep{known: func(schema.GroupKind, string, string, string, string) bool { return false }}
		var got, want metav1.PartialObjectMetadataList
		if s.decodeList(body, schema.GroupKind{}, &got) != nil {
			return
		}
		if decodeProtobuf(body, &want) != nil {
			return // it is stricter: of numbers we read no value
		}
		if len(got.Items) != len(want.Items) || got.Continue != want.Continue || got.ResourceVersion != want.ResourceVersion {
			t.Errorf("got %d items, %q, want %d, %q", len(got.Items), got.Continue, len(want.Items), want.Continue)
		}
		for i := range got.Items {
			if diff := cmp.Diff(want.Items[i], got.Items[i]); diff != "" {
				t.Error(diff)
			}
		}
	})
}
