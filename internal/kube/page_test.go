package kube

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// pageOf is a page as an API server sends it.
func pageOf(t testing.TB, items ...metav1.PartialObjectMetadata) []byte {
	t.Helper()
	list := metav1.PartialObjectMetadataList{ListMeta: metav1.ListMeta{ResourceVersion: "90", Continue: "more"}, Items: items}
	raw, err := list.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	envelope := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadataList"}, Raw: raw}
	b, err := envelope.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte("k8s\x00"), b...)
}

func item(name, version string) metav1.PartialObjectMetadata {
	return metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Name: name, Namespace: "shop", UID: "7c8a", ResourceVersion: version, Generation: 3,
		Labels: map[string]string{"a": "b"},
		ManagedFields: []metav1.ManagedFieldsEntry{{
			Manager: "slipway", Operation: metav1.ManagedFieldsOperationApply, APIVersion: "v1",
			FieldsV1: metav1.NewFieldsV1(`{"f:data":{}}`),
		}},
	}}
}

func protobufAnswer(body []byte) answer {
	return answer{header: http.Header{"Content-Type": {runtime.ContentTypeProtobuf}}, body: body}
}

func TestOfWhatIsKnownOnlyItsIdentityIsRead(t *testing.T) {
	gk := schema.GroupKind{Kind: "ConfigMap"}
	s := &sweep{known: func(kind schema.GroupKind, namespace, name, uid, version string) bool {
		return kind == gk && namespace == "shop" && name == "same" && uid == "7c8a" && version == "12"
	}}
	full := item("edited", "13")
	nobody := item("", "")
	nobody.UID = ""
	var got metav1.PartialObjectMetadataList
	a := protobufAnswer(pageOf(t, item("same", "12"), full, item("same", "14"), nobody))
	if err := s.decodePage(request{}, a, gk, &got); err != nil {
		t.Fatal(err)
	}
	want := metav1.PartialObjectMetadataList{
		ListMeta: metav1.ListMeta{ResourceVersion: "90", Continue: "more"},
		Items: []metav1.PartialObjectMetadata{
			{ObjectMeta: metav1.ObjectMeta{Name: "same", Namespace: "shop", UID: "7c8a", ResourceVersion: "12"}}, full, item("same", "14"), nobody,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAPageThatIsCutIsAnError(t *testing.T) {
	body := pageOf(t, item("one", "1"), item("two", "2"))
	s := &sweep{known: func(schema.GroupKind, string, string, string, string) bool { return true }}
	for n := range len(body) - 4 { // the envelope ends with two empty fields
		var got metav1.PartialObjectMetadataList
		if err := s.decodePage(request{}, protobufAnswer(body[:n]), schema.GroupKind{}, &got); err == nil && len(got.Items) == 2 {
			t.Errorf("%d of %d bytes were taken for the whole", n, len(body))
		}
	}
}
