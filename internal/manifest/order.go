package manifest

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// kindOrder is the order of kinds in which Argo CD applies (gitops-engine pkg/sync/sync_tasks.go). It goes by the kind's
// name alone, whatever its group. What is not in it comes last: custom resources, webhooks.
var kindOrder = places(
	"Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodSecurityPolicy", "PodDisruptionBudget",
	"ServiceAccount", "Secret", "SecretList", "ConfigMap", "StorageClass", "PersistentVolume", "PersistentVolumeClaim",
	"CustomResourceDefinition", "ClusterRole", "ClusterRoleList", "ClusterRoleBinding", "ClusterRoleBindingList",
	"Role", "RoleList", "RoleBinding", "RoleBindingList", "Service", "DaemonSet", "Pod", "ReplicationController",
	"ReplicaSet", "Deployment", "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob", "IngressClass", "Ingress",
	"APIService",
)

func places(kinds ...string) map[string]int {
	m := make(map[string]int, len(kinds))
	for i, k := range kinds {
		m[k] = i - len(kinds) // negative: an unknown kind's 0 is last
	}
	return m
}

// compare orders by kind, then namespace and name. Group and kind come last, so that two unknown kinds of one name have
// an order too.
func compare(a, b ID) int {
	return cmp.Or(
		cmp.Compare(kindOrder[a.Kind], kindOrder[b.Kind]),
		cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind),
	)
}

// Order sorts objs in place into the order in which they are applied: by kind as Argo CD does, then by namespace and
// name. A CRD that would come after an object of its kind is moved before the first one (sync_tasks.go adjustDeps): a
// custom kind may be called Secret. A Namespace comes before its users by the order of kinds alone. Equal input in any
// order gives equal output.
func Order(objs []Object) {
	slices.SortStableFunc(objs, func(a, b Object) int { return compare(a.ID(), b.ID()) })
	for i, o := range objs {
		if o.GetKind() != "CustomResourceDefinition" {
			continue
		}
		group, _, _ := unstructured.NestedString(o.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(o.Object, "spec", "names", "kind")
		first := slices.IndexFunc(objs[:i], func(u Object) bool { return u.ID().Group == group && u.ID().Kind == kind })
		if first < 0 {
			continue
		}
		copy(objs[first+1:i+1], objs[first:i])
		objs[first] = o
	}
}

// PruneOrder sorts ids in place into the order in which they are deleted: Order's, backwards. A CRD follows the last
// object of its group, which its name ends in, so that custom resources go while their kind is still served.
func PruneOrder(ids []ID) {
	slices.SortStableFunc(ids, func(a, b ID) int { return compare(b, a) })
	for i := len(ids) - 1; i >= 0; i-- {
		if ids[i].Kind != "CustomResourceDefinition" || ids[i].Group != "apiextensions.k8s.io" {
			continue
		}
		_, group, _ := strings.Cut(ids[i].Name, ".")
		for last := len(ids) - 1; last > i; last-- {
			if ids[last].Group == group {
				id := ids[i]
				copy(ids[i:last], ids[i+1:last+1])
				ids[last] = id
				break
			}
		}
	}
}
