package kube

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

func FuzzProtobuf(f *testing.F) {
	raw, err := (&metav1.PartialObjectMetadataList{Items: []metav1.PartialObjectMetadata{{ObjectMeta: metav1.ObjectMeta{Name: "a", ManagedFields: someEntries}}}}).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	envelope, err := (&runtime.Unknown{Raw: raw}).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append([]byte("k8s\x00"), envelope...))
	f.Add([]byte("k8s\x00"))
	f.Add([]byte("k8"))
	f.Add([]byte("k8s\x00\x0a\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, body []byte) {
		var list metav1.PartialObjectMetadataList
		if err := decodeProtobuf(body, &list); err == nil && len(list.Items) > len(body) {
			t.Errorf("%d items of %d bytes", len(list.Items), len(body))
		}
	})
}
