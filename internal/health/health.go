// Package health tells from a live object's status how it is doing, by the rules of Argo CD (gitops-engine pkg/health,
// controller/health.go). It reads one object and asks nobody.
package health

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// Code is an object's health in one word.
type Code string

// The codes.
const (
	Healthy     Code = "Healthy"
	Suspended   Code = "Suspended"   // paused by somebody, on purpose
	Progressing Code = "Progressing" // not healthy, and may still become so
	Degraded    Code = "Degraded"    // failed, or not healthy in its time
	Unknown     Code = "Unknown"     // its status makes no sense
)

// Status is an object's health and, where there is something to say, why.
type Status struct {
	Code    Code
	Message string
}

// ignored on an object takes it out of its application's health (argo-cd controller/health.go).
const ignored = "argocd.argoproj.io/ignore-healthcheck"

// checks are the kinds whose health is known, by Kind.group. Versions do not matter: the fields that are read are the
// same in all of them. Kinds without a check, such as ConfigMap, CronJob, PodDisruptionBudget and custom resources, do
// not count.
var checks = map[string]func(object) Status{
	"Deployment.apps":                     deployment,
	"StatefulSet.apps":                    statefulSet,
	"DaemonSet.apps":                      daemonSet,
	"ReplicaSet.apps":                     replicaSet,
	"Pod":                                 pod,
	"Job.batch":                           job,
	"Service":                             service,
	"Ingress.networking.k8s.io":           ingress,
	"Ingress.extensions":                  ingress,
	"PersistentVolumeClaim":               volumeClaim,
	"HorizontalPodAutoscaler.autoscaling": autoscaler,
	"APIService.apiregistration.k8s.io":   apiService,
	"Rollout.argoproj.io":                 rollout,
	"Workflow.argoproj.io":                workflow,
}

// Of is the health of the live object u; ok is false if it has none to speak of: a kind without a check, or one that is
// to be ignored. An object that is being deleted is Progressing, whatever its kind.
func Of(u *unstructured.Unstructured) (s Status, ok bool) {
	if u == nil || u.GetAnnotations()[ignored] == "true" {
		return Status{}, false
	}
	if u.GetDeletionTimestamp() != nil {
		return Status{Progressing, "Pending deletion"}, true
	}
	check, ok := checks[u.GroupVersionKind().GroupKind().String()]
	if !ok {
		return Status{}, false
	}
	return check(object(u.Object)), true
}
