package manifest

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// MetadataOf is an object's metadata as a LIST of metadata shows it. It shares what it points to with u.
func MetadataOf(u *unstructured.Unstructured) *metav1.PartialObjectMetadata {
	m := &metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(u.GroupVersionKind())
	m.Name, m.Namespace, m.UID, m.ResourceVersion = u.GetName(), u.GetNamespace(), u.GetUID(), u.GetResourceVersion()
	m.Generation, m.Labels, m.Annotations = u.GetGeneration(), u.GetLabels(), u.GetAnnotations()
	m.OwnerReferences, m.ManagedFields, m.DeletionTimestamp = u.GetOwnerReferences(), u.GetManagedFields(), u.GetDeletionTimestamp()
	return m
}
