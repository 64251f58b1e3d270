//go:build cluster

package drift

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

const hpas = "horizontalpodautoscalers.autoscaling"

func hpa(name string) string {
	return "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: " + name + "}\n" +
		"spec: {minReplicas: 2, maxReplicas: 5, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}\n"
}

// eager looks at autoscaled objects in each sweep.
func (r *real) eager() { r.drift.rescaled = 0 }

// scaledTo waits until something has set the replicas of web.
func (r *real) scaledTo(n string) {
	r.t.Helper()
	r.Eventually("web has "+n+" replicas", func() bool { return r.field(deployments, "web", replicas) == n })
}

func TestWhatControllersWriteIsNoDrift(t *testing.T) {
	t.Parallel()
	runAll(t, []act{
		{
			name: "an autoscaler of the set", git: hpa("web"), do: func(r *real) { r.scaledTo("2") },
			live: []string{"deployments.apps web .spec.replicas = 2"},
		},
		{
			name: "an autoscaler that somebody adds", do: func(r *real) {
				r.create(hpas, "kubectl-autoscale", hpa("by-hand"))
				r.scaledTo("2")
			},
			live: []string{"deployments.apps web .spec.replicas = 2"},
		},
		{
			name: "an autoscaler that somebody adds and removes later", do: func(r *real) {
				r.create(hpas, "kubectl-autoscale", hpa("by-hand"))
				r.scaledTo("2")
				r.want("while it is there", found(r.sweep()), nil)
				r.delete(hpas, "by-hand")
				r.eager()
			},
			want: []string{"Drifted Deployment/web .spec.replicas by kube-controller-manager"}, live: []string{"deployments.apps web .spec.replicas = 1"},
		},
		{
			name: "an autoscaler, and an edit of another field", git: hpa("web"), do: func(r *real) {
				r.scaledTo("2")
				r.strategic(deployments, "web", "kubectl-set", `{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"nginx:evil"}]}}}}`)
			},
			want: []string{`Drifted Deployment/web ` + containerA + `.image by kubectl-set`},
			live: []string{"deployments.apps web .spec.replicas = 2", `deployments.apps web ` + containerA + `.image = nginx:1.27`},
		},
		{
			name: "KEDA scales to zero beside its autoscaler", do: func(r *real) {
				r.create(hpas, "keda", hpa("keda-hpa-web"))
				r.scaledTo("2")
				r.merge(deployments, "web", "keda", `{"spec":{"replicas":0}}`, "scale")
			},
			live: []string{"deployments.apps web .spec.replicas = 0"},
		},
		{
			name: "KEDA scales what git gives no replicas", only: strings.Replace(base, "  replicas: 1\n", "", 1) + hpa("web"), do: func(r *real) {
				r.scaledTo("2")
				r.merge(deployments, "web", "keda", `{"spec":{"replicas":3}}`, "scale")
			},
		},
		{
			name: "a Deployment's revision and its ReplicaSets, which copy our annotations", do: func(r *real) {
				r.Eventually("the revision", func() bool {
					return r.field(deployments, "web", `.metadata.annotations["deployment.kubernetes.io/revision"]`) == "1"
				})
			},
		},
		{
			name: "EndpointSlices, which copy our label", do: func(r *real) {
				r.Eventually("a slice", func() bool {
					l, err := r.At("endpointslices.discovery.k8s.io").List(r.t.Context(), metav1.ListOptions{LabelSelector: "slipway.dev/application"})
					return err == nil && len(l.Items) > 0
				})
				rec := r.record()
				if err := r.stores.Records.Delete(r.t.Context(), r.app.Key()); err != nil { // every kind of the cluster is listed then
					r.t.Fatal(err)
				}
				rec.Kinds = nil
				r.put(rec)
				r.restart()
			},
		},
		{
			name: "a claim is bound", git: "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {storageClassName: \"\", accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n",
			do: func(r *real) {
				r.volume()
				r.Eventually("the claim is bound", func() bool { return r.field("persistentvolumeclaims", "data", ".status.phase") == "Bound" })
			},
		},
		{
			name: "a Job runs to its end", git: `---
apiVersion: batch/v1
kind: Job
metadata: {name: job}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: job, image: "busybox"}]}}}
`, do: func(r *real) {
				r.Eventually("the job has a pod", func() bool { return r.field("jobs.batch", "job", ".status.startTime") != "" })
				r.merge("jobs.batch", "job", "kube-controller-manager", `{"status":{"succeeded":1,"ready":0}}`, "status")
			},
		},
		{
			name: "a CronJob and a StatefulSet at work", git: `---
apiVersion: batch/v1
kind: CronJob
metadata: {name: cron}
spec: {schedule: "0 0 1 1 *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: job, image: "busybox"}]}}}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: set}
spec:
  serviceName: set
  selector: {matchLabels: {app: set}}
  template: {metadata: {labels: {app: set}}, spec: {containers: [{name: set, image: nginx}]}}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}]
`, do: func(r *real) {
				r.Eventually("the set has looked", func() bool { return r.field("statefulsets.apps", "set", ".status.observedGeneration") == "1" })
			},
		},
		{
			name: "a PodDisruptionBudget, a NetworkPolicy, a ServiceAccount and a RoleBinding", git: `---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: pdb}
spec: {minAvailable: 50%, selector: {matchLabels: {app: web}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: net}
spec: {podSelector: {}, ingress: [{ports: [{port: 80}]}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: bind}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: robot}]
`, do: func(r *real) {
				r.Eventually("the budget has been looked at", func() bool { return r.field("poddisruptionbudgets.policy", "pdb", ".status.observedGeneration") == "1" })
			},
		},
		{
			name: "git says another version than the cluster prefers", git: `---
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: old}
spec: {minReplicas: 1, maxReplicas: 2, targetCPUUtilizationPercentage: 50, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: absent}}
`, do: func(r *real) { r.merge(hpas, "old", "kubectl-edit", `{"spec":{"maxReplicas":9}}`) },
			want: []string{"Drifted HorizontalPodAutoscaler/old .spec.maxReplicas by kubectl-edit"}, live: []string{hpas + " old .spec.maxReplicas = 2"},
		},
	})
}

func (r *real) volume() {
	r.t.Helper()
	text := "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: NS}\nspec: {storageClassName: \"\", capacity: {storage: 1Mi}, accessModes: [ReadWriteOnce], hostPath: {path: /tmp/none}, claimRef: {namespace: NS, name: data}}\n"
	r.clusterWide("", "v1", "persistentvolumes", strings.ReplaceAll(text, "NS", r.Namespace))
}

// clusterWide makes an object without a namespace and removes it at the end.
func (r *real) clusterWide(group, version, resource, text string) {
	r.t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
		r.t.Fatal(err)
	}
	c := r.Others.Resource(schema.GroupVersionResource{Group: group, Version: version, Resource: resource})
	r.must(c.Create(r.t.Context(), u, metav1.CreateOptions{}))
	r.t.Cleanup(func() { _ = c.Delete(context.Background(), u.GetName(), metav1.DeleteOptions{}) })
}
