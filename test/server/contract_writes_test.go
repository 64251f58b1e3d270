package server

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/manifest"
)

func idOf(u *unstructured.Unstructured) manifest.ID { return manifest.IDOf(u) }

// kinds are one of each that a set has most, with no controller that writes more than status where one is.
var kinds = []string{
	"{apiVersion: v1, kind: ConfigMap}",
	"{apiVersion: v1, kind: Secret, type: Opaque}",
	"{apiVersion: v1, kind: ServiceAccount}",
	"{apiVersion: v1, kind: Service, spec: {clusterIP: None, selector: {app: a}}}",
	"{apiVersion: v1, kind: PersistentVolumeClaim, spec: {storageClassName: none, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}",
	"{apiVersion: v1, kind: Pod, spec: {nodeSelector: {no: such}, containers: [{name: web, image: web:1}]}}",
	podTemplate("image: web:1"),
	"{apiVersion: apps/v1, kind: Deployment, spec: {replicas: 0, selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: web, image: web:1}]}}}}",
	"{apiVersion: apps/v1, kind: StatefulSet, spec: {replicas: 0, serviceName: a, selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: web, image: web:1}]}}}}",
	"{apiVersion: apps/v1, kind: DaemonSet, spec: {selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {nodeSelector: {no: such}, containers: [{name: web, image: web:1}]}}}}",
	"{apiVersion: apps/v1, kind: ReplicaSet, spec: {replicas: 0, selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: web, image: web:1}]}}}}",
	"{apiVersion: batch/v1, kind: CronJob, spec: {schedule: '0 4 * * *', suspend: true, jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: web, image: web:1}]}}}}}}",
	"{apiVersion: batch/v1, kind: Job, spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: web, image: web:1}]}}}}",
	"{apiVersion: networking.k8s.io/v1, kind: Ingress, spec: {defaultBackend: {service: {name: a, port: {number: 80}}}}}",
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, spec: {podSelector: {}}}",
	"{apiVersion: policy/v1, kind: PodDisruptionBudget, spec: {minAvailable: 1, selector: {matchLabels: {app: a}}}}",
	"{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, rules: []}",
	"{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}}",
	"{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, spec: {maxReplicas: 2, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: none}}}",
}

var generationClauses = []clause{
	{"some kinds count their generation from 1, the others have none", func(s *scene) {
		for _, text := range kinds {
			u := s.object(text)
			u.SetName("a")
			s.tell("%s %d", u.GetKind(), s.apply(u).GetGeneration())
		}
	}, []string{
		"ConfigMap 0", "Secret 0", "ServiceAccount 0", "Service 0", "PersistentVolumeClaim 0", "Pod 1", "PodTemplate 1", "Deployment 1", "StatefulSet 1", "DaemonSet 1",
		"ReplicaSet 1", "CronJob 1", "Job 1", "Ingress 1", "NetworkPolicy 1", "PodDisruptionBudget 1", "Role 0", "RoleBinding 0", "HorizontalPodAutoscaler 0",
	}},
	{"only a change of the spec raises the generation", func(s *scene) {
		u := s.object("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a}, spec: {podSelector: {matchLabels: {app: a}}}}")
		s.apply(u)
		set("x", "metadata", "annotations", "note")(u)
		s.tell("another annotation: %d", s.apply(u).GetGeneration())
		set("x", "metadata", "labels", "team")(u)
		s.tell("another label: %d", s.apply(u).GetGeneration())
		set("b", "spec", "podSelector", "matchLabels", "app")(u)
		s.tell("another spec: %d", s.apply(u).GetGeneration())
		s.edit(u, "person", set("c", "spec", "podSelector", "matchLabels", "app"))
		s.tell("by a person: %d", s.live(u).GetGeneration())
		would, _, err := s.Apply(s.t.Context(), u, true)
		s.ends("dry run", err)
		s.tell("would be: %d", would.GetGeneration())
		s.tell("is: %d", s.live(u).GetGeneration())
		s.tell("taken back: %d", s.apply(u).GetGeneration())
	}, []string{
		"another annotation: 1", "another label: 1", "another spec: 2", "by a person: 3", "dry run: done", "would be: 4", "is: 3", "taken back: 4",
	}},
	{"a Deployment's annotations raise its generation too", func(s *scene) {
		u := s.object("{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 0, selector: {matchLabels: {app: a}}," +
			" template: {metadata: {labels: {app: a}}, spec: {containers: [{name: web, image: web:1}]}}}}")
		s.apply(u)
		set("x", "metadata", "labels", "team")(u)
		s.tell("another label: %d", s.apply(u).GetGeneration())
		set("x", "metadata", "annotations", "note")(u)
		s.tell("another annotation: %d", s.apply(u).GetGeneration())
	}, []string{"another label: 1", "another annotation: 2"}},
}

var deletionClauses = []clause{
	{"a deletion means one object in one state", func(s *scene) {
		u := s.configMap("a", "k: v1")
		old := s.apply(u)
		now := s.apply(s.configMap("a", "k: v2"))
		s.ends("stale", s.Delete(s.t.Context(), idOf(u), old.GetUID(), old.GetResourceVersion()))
		s.ends("another uid", s.Delete(s.t.Context(), idOf(u), "0b0a9f8e-0000-4000-8000-000000000000", now.GetResourceVersion()))
		s.ends("without a state", s.Delete(s.t.Context(), idOf(u), now.GetUID(), ""))
		s.there(u)
		s.ends("as it is", s.Delete(s.t.Context(), idOf(u), now.GetUID(), now.GetResourceVersion()))
		s.there(u)
		s.ends("again", s.Delete(s.t.Context(), idOf(u), now.GetUID(), now.GetResourceVersion()))
	}, []string{"stale: conflict", "another uid: conflict", "without a state: internal", "a is there, being deleted: false", "as it is: done", "a is gone", "again: done"}},
	{"a finalizer keeps an object until it goes", func(s *scene) {
		u := s.object("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a, finalizers: [example.com/hold]}, spec: {podSelector: {}}}")
		old := s.apply(u)
		s.Drop(idOf(u))
		s.there(u)
		now := s.live(u)
		s.tell("another version: %v, generation %d", now.GetResourceVersion() != old.GetResourceVersion(), now.GetGeneration())
		s.show(now)
		s.Drop(idOf(u))
		s.tell("deleted again, another version: %v", s.live(u).GetResourceVersion() != now.GetResourceVersion())
		set("x", "metadata", "labels", "team")(u)
		_, _, err := s.Apply(s.t.Context(), at(u, now), false)
		s.ends("apply to it", err)
		s.there(u)
		s.edit(u, "person", set(nil, "metadata", "finalizers"))
		s.there(u)
	}, []string{
		"a is there, being deleted: true", "another version: true, generation 2",
		"a map[]", `  slipway Apply .metadata.finalizers["example.com/hold"]` + label + " .spec.podSelector", "deleted again, another version: false",
		"apply to it: done", "a is there, being deleted: true", "a is gone",
	}},
}

var patchClauses = []clause{
	{"a patch removes what somebody has added and leaves no entry of ours", func(s *scene) {
		u := s.configMap("a", "k: v")
		s.apply(u)
		s.edit(u, "person", set("x", "data", "extra"))
		now := s.live(u)
		after, err := s.Patch(s.t.Context(), idOf(u), now.GetUID(), now.GetResourceVersion(), []byte(`[{"op":"remove","path":"/data/extra"}]`))
		s.ends("patch", err)
		s.show(after)
		s.tell("another version: %v", after.GetResourceVersion() != now.GetResourceVersion())
		_, err = s.Patch(s.t.Context(), idOf(u), now.GetUID(), now.GetResourceVersion(), []byte(`[{"op":"remove","path":"/data/k"}]`))
		s.ends("an older state", err)
		_, err = s.Patch(s.t.Context(), idOf(u), now.GetUID(), now.GetResourceVersion(), []byte(`[{"op":"remove","path":"/data/extra"}]`))
		s.ends("an older state that it does not fit", err)
		_, err = s.Patch(s.t.Context(), idOf(u), now.GetUID(), after.GetResourceVersion(), []byte(`[{"op":"remove","path":"/data/extra"}]`))
		s.ends("a state that it does not fit", err)
		_, err = s.Patch(s.t.Context(), idOf(u), "0b0a9f8e-0000-4000-8000-000000000000", after.GetResourceVersion(), []byte(`[{"op":"remove","path":"/data/k"}]`))
		s.ends("another uid", err)
		_, err = s.Patch(s.t.Context(), idOf(u), now.GetUID(), after.GetResourceVersion(), []byte(`[]`))
		s.ends("no patch", err)
		_, err = s.Patch(s.t.Context(), idOf(s.configMap("b", "")), now.GetUID(), after.GetResourceVersion(), []byte(`[{"op":"remove","path":"/data/k"}]`))
		s.ends("what is not there", err)
		s.show(s.live(u))
	}, []string{
		"patch: done", "a map[k:v]", `  slipway Apply .data.k` + label, "another version: true",
		"an older state: conflict", "an older state that it does not fit: conflict", "a state that it does not fit: invalid", "another uid: conflict",
		"no patch: internal", "what is not there: not found", "a map[k:v]", `  slipway Apply .data.k` + label,
	}},
	{"what a patch sets is owned by an update of our name", func(s *scene) {
		u := s.configMap("a", "k: v")
		now := s.apply(u)
		after, err := s.Patch(s.t.Context(), idOf(u), now.GetUID(), now.GetResourceVersion(), []byte(`[{"op":"add","path":"/data/j","value":"x"}]`))
		s.ends("patch", err)
		s.show(after)
	}, []string{"patch: done", "a map[j:x k:v]", `  slipway Apply .data.k` + label, `  slipway Update .data.j`}},
}
