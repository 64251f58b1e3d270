package conformance

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"slipway/internal/health"
)

// none is the health of what has none: it does not count.
const none health.Code = ""

// argoHealth is argo-cd.md 2.6 row by row: by file of testdata/health the file of gitops-engine pkg/health (or another)
// that a rule comes from, and by rule the health of the objects that the file has for it.
var argoHealth = map[string]struct {
	source string
	rules  map[string]health.Code
}{
	"deployment": {"health_deployment.go", map[string]health.Code{
		"paused": health.Suspended, "gen>observed": health.Progressing, "reason ProgressDeadlineExceeded": health.Degraded,
		"updated<spec.replicas": health.Progressing, "replicas>updated": health.Progressing, "available<updated": health.Progressing,
		"else": health.Healthy, "else, Available=False and no deadline exceeded": health.Healthy,
	}},
	"statefulset": {"health_statefulset.go", map[string]health.Code{
		"observedGen 0": health.Progressing, "observedGen stale": health.Progressing, "ready<replicas": health.Progressing,
		"partition not reached": health.Progressing, "partition reached": health.Healthy, "RollingUpdate with params": health.Healthy,
		"OnDelete": health.Healthy, "updateRevision!=currentRevision": health.Progressing, "else": health.Healthy,
	}},
	"daemonset": {"health_daemonset.go", map[string]health.Code{
		"stale gen": health.Progressing, "OnDelete": health.Healthy, "updated<desired": health.Progressing,
		"available<desired": health.Progressing, "else": health.Healthy, "no node wants it": health.Healthy,
	}},
	"replicaset": {"health_replicaset.go", map[string]health.Code{
		"ReplicaFailure=True": health.Degraded, "available<replicas": health.Progressing, "else": health.Healthy,
	}},
	"service": {"health_service.go", map[string]health.Code{
		"LoadBalancer without ingress": health.Progressing, "LoadBalancer with ingress": health.Healthy,
		"ClusterIP": health.Healthy, "NodePort": health.Healthy, "ExternalName": health.Healthy,
	}},
	"ingress": {"health_ingress.go", map[string]health.Code{
		"ingress empty": health.Progressing, "ingress never written": health.Progressing, "ingress with a hostname": health.Healthy,
	}},
	"persistentvolumeclaim": {"health_pvc.go", map[string]health.Code{
		"Bound": health.Healthy, "Pending": health.Progressing, "Lost": health.Degraded, "else": health.Unknown,
	}},
	"apiservice": {"health_apiservice.go", map[string]health.Code{
		"Available=True": health.Healthy, "Available=False": health.Progressing, "no condition": health.Progressing,
	}},
	"job": {"health_job.go", map[string]health.Code{
		"Failed": health.Degraded, "Suspended=True": health.Suspended, "Complete": health.Healthy, "none": health.Progressing,
		"FailureTarget is not yet Failed": health.Progressing,
	}},
	"pod": {"health_pod.go", map[string]health.Code{
		"Always: waiting reason Err*": health.Degraded, "Always: waiting reason *Error": health.Degraded, "Always: waiting reason *BackOff": health.Degraded,
		"Always: ready": health.Healthy, "Always: a last-terminated container": health.Degraded, "Always: else": health.Progressing,
		"Never: Running": health.Progressing, "OnFailure: Running": health.Progressing, "Never: waiting reason *BackOff": health.Progressing,
		"Succeeded": health.Healthy, "Failed": health.Degraded, "Pending": health.Progressing, "unschedulable": health.Progressing,
	}},
	"horizontalpodautoscaler": {"health_hpa.go", map[string]health.Code{
		"FailedGetScale": health.Degraded, "FailedUpdateScale": health.Degraded, "FailedGet*Metric": health.Degraded,
		"FailedComputeMetricsReplicas": health.Degraded, "InvalidSelector": health.Degraded,
		"AbleToScale True": health.Healthy, "ScalingLimited True": health.Healthy, "else": health.Progressing,
	}},
	"workflow": {"health_argo.go", map[string]health.Code{
		"no phase": health.Progressing, "Pending": health.Progressing, "Running": health.Progressing, "Succeeded": health.Healthy,
		"Failed": health.Degraded, "Error": health.Degraded,
	}},
	"rollout": {"resource_customizations/argoproj.io/Rollout/health.lua", map[string]health.Code{
		"no status": health.Progressing, "gen>observed": health.Progressing, "workload's gen>observed": health.Progressing,
		"Progressing": health.Progressing, "Paused": health.Suspended, "Degraded": health.Degraded, "Healthy": health.Healthy,
	}},
	"without": {"health.go GetHealthCheckFunc", map[string]health.Code{
		"CronJob": none, "ConfigMap": none, "Secret": none, "CRD": none, "PDB": none, "a custom resource with a Ready condition": none,
	}},
	"any": {"health.go GetResourceHealth, controller/health.go", map[string]health.Code{
		"deletionTimestamp set": health.Progressing, "deletionTimestamp set on a kind without a check": health.Progressing,
		"ignore-healthcheck=true": none, "ignore-healthcheck of another value": health.Degraded,
	}},
}

func TestHealthIsArgosRowByRow(t *testing.T) {
	files, err := filepath.Glob("testdata/health/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	rows := 0
	for _, file := range files {
		kind := strings.TrimSuffix(filepath.Base(file), ".txt")
		have = append(have, kind)
		table := argoHealth[kind]
		var rules []string
		for _, s := range sections(t, file) {
			rules = append(rules, s.name)
			t.Run(kind+" "+s.name, func(t *testing.T) {
				u := &unstructured.Unstructured{}
				if err := yaml.UnmarshalStrict([]byte(s.text), &u.Object); err != nil {
					t.Fatal(err)
				}
				got, counts := health.Of(u)
				if want := table.rules[s.name]; got.Code != want || counts != (want != none) {
					t.Errorf("%+v, counts %v; want %q by %s", got, counts, want, table.source)
				}
				rows++
			})
		}
		slices.Sort(rules)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(table.rules)), rules); diff != "" {
			t.Errorf("%s has not one object for each rule (-rules +objects):\n%s", file, diff)
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(argoHealth)), have); diff != "" {
		t.Errorf("files are not those of the table (-table +files):\n%s", diff)
	}
	t.Logf("%d rows of %d kinds", rows, len(files))
}

// TestWhereHealthIsNotArgos asserts both sides of what differs on purpose: ours by running it, Argo's by its source.
func TestWhereHealthIsNotArgos(t *testing.T) {
	for _, tt := range []struct {
		name, object string
		ours, argo   health.Code
		why          string
	}{
		{
			"a Job that was resumed and runs",
			"{apiVersion: batch/v1, kind: Job, status: {active: 1, conditions: [{type: Suspended, status: 'False', reason: JobResumed}]}}",
			health.Progressing, health.Healthy, "health_job.go takes any Suspended condition for an end; a running Job has not succeeded",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := &unstructured.Unstructured{}
			if err := yaml.UnmarshalStrict([]byte(tt.object), &u.Object); err != nil {
				t.Fatal(err)
			}
			if got, ok := health.Of(u); !ok || got.Code != tt.ours || tt.ours == tt.argo {
				t.Errorf("%+v, %v; want %s, where Argo has %s: %s", got, ok, tt.ours, tt.argo, tt.why)
			}
		})
	}
}
