package health

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.UnmarshalStrict([]byte(text), &u.Object); err != nil {
		t.Fatalf("parse %s: %v", text, err)
	}
	return u
}

func TestHealthFollowsArgosTable(t *testing.T) {
	kinds := map[string]string{
		"deploy": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, generation: 2}\n",
		"sts":    "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db, generation: 2}\n",
		"ds":     "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent, generation: 2}\n",
		"rs":     "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: web-1, generation: 2}\n",
		"pod":    "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n",
		"marked": "apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {argocd.argoproj.io/ignore-restart-policy: \"true\"}}\n",
		"job":    "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\n",
		"svc":    "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n",
		"ing":    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\n",
		"pvc":    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\n",
		"api":    "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1.x}\n",
		"hpa":    "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\n",
		"ro":     "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web, generation: 2}\n",
		"ref":    "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web, generation: 2, annotations: {rollout.argoproj.io/workload-generation: '3'}}\n",
		"wf":     "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\n",
	}
	for _, tt := range []struct {
		kind, name, body string
		want             Code
		message          string
	}{
		{"deploy", "paused", "spec: {paused: true}\nstatus: {observedGeneration: 1}", Suspended, "paused"},
		{"deploy", "spec not seen", "status: {observedGeneration: 1}", Progressing, "newest spec"},
		{"deploy", "no status", "spec: {replicas: 1}", Progressing, "newest spec"},
		{"deploy", "deadline exceeded", "spec: {replicas: 2}\nstatus: {observedGeneration: 2, conditions: [{type: Available, status: 'True'}, {type: Progressing, reason: ProgressDeadlineExceeded}]}", Degraded, `"web" exceeded`},
		{"deploy", "too few updated", "spec: {replicas: 3}\nstatus: {observedGeneration: 2, updatedReplicas: 1, replicas: 1, availableReplicas: 1}", Progressing, "1 of 3"},
		{"deploy", "old ones left", "spec: {replicas: 2}\nstatus: {observedGeneration: 2, updatedReplicas: 2, replicas: 3, availableReplicas: 2}", Progressing, "1 old"},
		{"deploy", "not available", "spec: {replicas: 2}\nstatus: {observedGeneration: 2, updatedReplicas: 2, replicas: 2, availableReplicas: 1}", Progressing, "1 of 2"},
		{"deploy", "all available", "spec: {replicas: 2}\nstatus: {observedGeneration: 2, updatedReplicas: 2, replicas: 2, availableReplicas: 2}", Healthy, ""},
		{"deploy", "scaled to zero", "spec: {replicas: 0}\nstatus: {observedGeneration: 3}", Healthy, ""},
		{"deploy", "replicas not given", "spec: {}\nstatus: {observedGeneration: 2}", Healthy, ""},

		{"sts", "never observed", "spec: {replicas: 0}", Progressing, "newest spec"},
		{"sts", "stale", "status: {observedGeneration: 1}", Progressing, "newest spec"},
		{"sts", "not ready", "spec: {replicas: 3}\nstatus: {observedGeneration: 2, readyReplicas: 2}", Progressing, "2 of 3"},
		{"sts", "partition not reached", "spec: {replicas: 3, updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 1}}}\nstatus: {observedGeneration: 2, readyReplicas: 3, updatedReplicas: 1}", Progressing, "1 of 2"},
		{"sts", "partition reached", "spec: {replicas: 3, updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 1}}}\nstatus: {observedGeneration: 2, readyReplicas: 3, updatedReplicas: 2, updateRevision: b, currentRevision: a}", Healthy, ""},
		{"sts", "rolling update without partition", "spec: {replicas: 3, updateStrategy: {type: RollingUpdate, rollingUpdate: {}}}\nstatus: {observedGeneration: 2, readyReplicas: 3}", Healthy, ""},
		{"sts", "on delete", "spec: {replicas: 1, updateStrategy: {type: OnDelete}}\nstatus: {observedGeneration: 2, readyReplicas: 1, updateRevision: b, currentRevision: a}", Healthy, ""},
		{"sts", "between revisions", "spec: {replicas: 1, updateStrategy: {type: RollingUpdate}}\nstatus: {observedGeneration: 2, readyReplicas: 1, updateRevision: b, currentRevision: a}", Progressing, "revision b"},
		{"sts", "at one revision", "spec: {replicas: 1}\nstatus: {observedGeneration: 2, readyReplicas: 1, updateRevision: b, currentRevision: b}", Healthy, ""},

		{"ds", "stale", "status: {observedGeneration: 1}", Progressing, "newest spec"},
		{"ds", "on delete", "spec: {updateStrategy: {type: OnDelete}}\nstatus: {observedGeneration: 2, desiredNumberScheduled: 3}", Healthy, ""},
		{"ds", "not updated", "status: {observedGeneration: 2, desiredNumberScheduled: 3, updatedNumberScheduled: 2}", Progressing, "2 of 3"},
		{"ds", "not available", "status: {observedGeneration: 2, desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 1}", Progressing, "1 of 3"},
		{"ds", "available", "status: {observedGeneration: 2, desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3}", Healthy, ""},

		{"rs", "stale", "status: {observedGeneration: 1}", Progressing, "newest spec"},
		{"rs", "failed to create pods", "status: {observedGeneration: 2, conditions: [{type: ReplicaFailure, status: 'True', message: quota}]}", Degraded, "quota"},
		{"rs", "failure is over", "status: {observedGeneration: 2, conditions: [{type: ReplicaFailure, status: 'False'}]}", Healthy, ""},
		{"rs", "not available", "spec: {replicas: 2}\nstatus: {observedGeneration: 2, availableReplicas: 1}", Progressing, "1 of 2"},
		{"rs", "available", "spec: {replicas: 2}\nstatus: {observedGeneration: 2, availableReplicas: 2}", Healthy, ""},

		{"pod", "image cannot be pulled", "spec: {restartPolicy: Always}\nstatus: {phase: Pending, containerStatuses: [{state: {waiting: {reason: ErrImagePull, message: not found}}}]}", Degraded, "ErrImagePull: not found"},
		{"pod", "crashes", "spec: {restartPolicy: Always}\nstatus: {phase: Running, containerStatuses: [{state: {waiting: {reason: CrashLoopBackOff}}}]}", Degraded, "CrashLoopBackOff"},
		{"pod", "config error", "spec: {restartPolicy: Always}\nstatus: {phase: Pending, containerStatuses: [{state: {waiting: {reason: CreateContainerConfigError}}}]}", Degraded, ""},
		{"pod", "is being created", "spec: {restartPolicy: Always}\nstatus: {phase: Pending, containerStatuses: [{state: {waiting: {reason: ContainerCreating}}}]}", Progressing, ""},
		{"pod", "backs off but is not restarted", "spec: {restartPolicy: Never}\nstatus: {phase: Pending, containerStatuses: [{state: {waiting: {reason: ImagePullBackOff}}}]}", Progressing, ""},
		{"pod", "ready", "spec: {restartPolicy: Always}\nstatus: {phase: Running, conditions: [{type: Ready, status: 'True'}]}", Healthy, ""},
		{"pod", "not ready yet", "spec: {restartPolicy: Always}\nstatus: {phase: Running}", Progressing, ""},
		{"pod", "not ready after a crash", "spec: {restartPolicy: Always}\nstatus: {phase: Running, containerStatuses: [{lastState: {terminated: {exitCode: 1}}}]}", Degraded, ""},
		{"pod", "runs to its end", "spec: {restartPolicy: OnFailure}\nstatus: {phase: Running, conditions: [{type: Ready, status: 'True'}]}", Progressing, ""},
		{"marked", "is not expected to end", "spec: {restartPolicy: Never}\nstatus: {phase: Running, conditions: [{type: Ready, status: 'True'}]}", Healthy, ""},
		{"pod", "succeeded", "spec: {restartPolicy: Never}\nstatus: {phase: Succeeded}", Healthy, ""},
		{"pod", "evicted", "status: {phase: Failed, message: evicted}", Degraded, "evicted"},
		{"pod", "exit code", "status: {phase: Failed, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 0}}}], containerStatuses: [{name: c, state: {terminated: {exitCode: 3}}}]}", Degraded, `"c" failed with exit code 3`},
		{"pod", "out of memory", "status: {phase: Failed, containerStatuses: [{state: {terminated: {reason: OOMKilled, exitCode: 137}}}]}", Degraded, "OOMKilled"},
		{"pod", "last words", "status: {phase: Failed, containerStatuses: [{state: {terminated: {message: bye}}}]}", Degraded, "bye"},
		{"pod", "no phase", "spec: {}", Unknown, ""},

		{"job", "new", "spec: {}", Progressing, ""},
		{"job", "failed", "status: {conditions: [{type: Failed, status: 'True', message: limit}]}", Degraded, "limit"},
		{"job", "suspended", "status: {conditions: [{type: Suspended, status: 'True', message: later}]}", Suspended, "later"},
		{"job", "resumed and running", "status: {conditions: [{type: Suspended, status: 'False'}]}", Progressing, ""},
		{"job", "resumed and complete", "status: {conditions: [{type: Suspended, status: 'False'}, {type: Complete, status: 'True', message: done}]}", Healthy, "done"},

		{"svc", "of a cluster address", "spec: {type: ClusterIP}", Healthy, ""},
		{"svc", "waits for its balancer", "spec: {type: LoadBalancer}\nstatus: {loadBalancer: {}}", Progressing, "address"},
		{"svc", "has its balancer", "spec: {type: LoadBalancer}\nstatus: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}", Healthy, ""},
		{"ing", "without address", "spec: {}", Progressing, "address"},
		{"ing", "with address", "status: {loadBalancer: {ingress: [{hostname: x}]}}", Healthy, ""},
		{"pvc", "bound", "status: {phase: Bound}", Healthy, ""},
		{"pvc", "pending", "status: {phase: Pending}", Progressing, ""},
		{"pvc", "lost", "status: {phase: Lost}", Degraded, ""},
		{"pvc", "no phase", "spec: {}", Unknown, ""},
		{"api", "no condition", "spec: {}", Progressing, "processed"},
		{"api", "available", "status: {conditions: [{type: Available, status: 'True', reason: Passed, message: ok}]}", Healthy, "Passed: ok"},
		{"api", "not available", "status: {conditions: [{type: Available, status: 'False', reason: MissingEndpoints}]}", Progressing, "MissingEndpoints"},

		{"hpa", "no conditions", "spec: {}", Progressing, "autoscale"},
		{"hpa", "able to scale", "status: {conditions: [{type: AbleToScale, status: 'True', message: ready}, {type: ScalingActive, status: 'True'}]}", Healthy, "ready"},
		{"hpa", "limited", "status: {conditions: [{type: ScalingLimited, status: 'True', message: max}]}", Healthy, "max"},
		{"hpa", "not limited alone", "status: {conditions: [{type: ScalingLimited, status: 'False'}]}", Progressing, ""},
		{"hpa", "has its scale but no metrics", "status: {conditions: [{type: AbleToScale, status: 'True'}, {type: ScalingActive, status: 'False', reason: FailedGetResourceMetric, message: no metrics}]}", Degraded, "no metrics"},
		{"hpa", "cannot get its scale", "status: {conditions: [{type: AbleToScale, status: 'False', reason: FailedGetScale, message: gone}]}", Degraded, "gone"},

		{"ro", "new", "spec: {}", Progressing, "newest spec"},
		{"ro", "spec not seen", "status: {observedGeneration: '1', phase: Healthy}", Progressing, "newest spec"},
		{"ro", "not judged yet", "status: {observedGeneration: '2'}", Progressing, ""},
		{"ro", "goes through its steps", "status: {observedGeneration: '2', phase: Progressing, message: more replicas need to be updated}", Progressing, "more replicas"},
		{"ro", "pauses at a step", "status: {observedGeneration: '2', phase: Paused, message: CanaryPauseStep}", Suspended, "CanaryPauseStep"},
		{"ro", "aborted", "status: {observedGeneration: '2', phase: Degraded, message: 'RolloutAborted: it failed', abort: true}", Degraded, "it failed"},
		{"ro", "at one revision", "status: {observedGeneration: '2', phase: Healthy}", Healthy, ""},
		{"ro", "seen by hash, as before 0.10", "status: {observedGeneration: 6f5d8c, phase: Healthy}", Healthy, ""},
		{"ro", "seen by a hash of digits", "status: {observedGeneration: '1234567890', phase: Healthy}", Healthy, ""},
		{"ro", "of a phase that nobody knows", "status: {observedGeneration: '2', phase: Dreaming}", Unknown, ""},
		{"ref", "workload not seen", "spec: {workloadRef: {name: web}}\nstatus: {observedGeneration: '2', workloadObservedGeneration: '2', phase: Healthy}", Progressing, "newest spec"},
		{"ref", "workload seen", "spec: {workloadRef: {name: web}}\nstatus: {observedGeneration: '2', workloadObservedGeneration: '3', phase: Healthy}", Healthy, ""},
		{"ref", "of a workload no more", "status: {observedGeneration: '2', phase: Healthy}", Healthy, ""},

		{"wf", "new", "spec: {}", Progressing, ""},
		{"wf", "failed", "status: {phase: Failed, message: step}", Degraded, "step"},
		{"wf", "succeeded", "status: {phase: Succeeded}", Healthy, ""},
		{"wf", "of a phase that nobody knows", "status: {phase: Dreaming}", Unknown, ""},
	} {
		t.Run(tt.kind+" "+tt.name, func(t *testing.T) {
			got, ok := Of(parse(t, kinds[tt.kind]+tt.body))
			if !ok || got.Code != tt.want || !strings.Contains(got.Message, tt.message) {
				t.Errorf("got %+v, %v; want %s with %q", got, ok, tt.want, tt.message)
			}
		})
	}
}

func TestKindsWithoutACheckDoNotCount(t *testing.T) {
	for _, k := range []string{"v1 ConfigMap", "v1 Secret", "batch/v1 CronJob", "policy/v1 PodDisruptionBudget", "apiextensions.k8s.io/v1 CustomResourceDefinition", "example.com/v1 Deployment", "serving.knative.dev/v1 Service"} {
		version, kind, _ := strings.Cut(k, " ")
		if s, ok := Of(parse(t, "apiVersion: "+version+"\nkind: "+kind)); ok {
			t.Errorf("%s has health %+v", k, s)
		}
	}
	if _, ok := Of(nil); ok {
		t.Error("no object has health")
	}
}

func TestAnObjectBeingDeletedIsProgressingWhateverItsKind(t *testing.T) {
	got, ok := Of(parse(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {deletionTimestamp: '2026-01-02T03:04:05Z'}"))
	if !ok || got != (Status{Progressing, "Pending deletion"}) {
		t.Errorf("got %+v, %v", got, ok)
	}
}

func TestAnIgnoredObjectDoesNotCount(t *testing.T) {
	const text = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {annotations: {argocd.argoproj.io/ignore-healthcheck: %}}"
	if _, ok := Of(parse(t, strings.ReplaceAll(text, "%", `"true"`))); ok {
		t.Error("an ignored object counts")
	}
	if _, ok := Of(parse(t, strings.ReplaceAll(text, "%", `"false"`))); !ok {
		t.Error("ignore-healthcheck: false ignores")
	}
}

func TestConditionsOfAnOldAutoscalerAreReadFromItsAnnotation(t *testing.T) {
	u := parse(t, "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {annotations: {autoscaling.alpha.kubernetes.io/conditions: '[{\"type\":\"AbleToScale\",\"status\":\"False\",\"reason\":\"FailedUpdateScale\",\"message\":\"no\"}]'}}")
	if got, _ := Of(u); got != (Status{Degraded, "no"}) {
		t.Errorf("got %+v", got)
	}
	u.SetAnnotations(map[string]string{"autoscaling.alpha.kubernetes.io/conditions": "{"})
	if got, _ := Of(u); got.Code != Unknown {
		t.Errorf("broken annotation: got %+v", got)
	}
}

func TestHealthSurvivesAnyShapeOfStatus(t *testing.T) {
	for kind := range checks {
		name, group, _ := strings.Cut(kind, ".")
		for _, body := range []string{"spec: 1\nstatus: []", "spec: [1]\nstatus: text", "status: {conditions: 7, phase: 3, loadBalancer: []}", "status: {conditions: [1, null, [x]], containerStatuses: {}}", "metadata: {generation: 1.0}\nstatus: {observedGeneration: 1.0}"} {
			u := parse(t, "apiVersion: "+strings.TrimPrefix(group+"/v1", "/")+"\nkind: "+name+"\n"+body)
			if s, ok := Of(u); !ok || s.Code == "" {
				t.Errorf("%s with %s: %+v, %v", kind, body, s, ok)
			}
		}
	}
}
