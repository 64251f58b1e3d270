package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	. "slipway/internal/app"
	"slipway/internal/fault"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var orderService = Application{
	Namespace: "argocd", Name: "order-service", Project: "default",
	Source: Source{
		RepoURL: "https://github.com/myorg/k8s-config", TargetRevision: "main", Path: "apps/order-service",
		Helm: &Helm{ValueFiles: []string{"values.yaml", "values-production.yaml"}},
	},
	Destination: Destination{Server: "https://kubernetes.default.svc", Namespace: "production"},
	Sync:        SyncPolicy{Automated: true, Prune: true, SelfHeal: true, CreateNamespace: true},
}

func TestTheTutorialsApplicationDecodesUnchanged(t *testing.T) {
	got, err := Decode("apps.yaml", read(t, "application.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := Declared{Applications: []Registered{{Application: orderService, File: "apps.yaml"}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestTheTutorialsApplicationSetDecodesUnchanged(t *testing.T) {
	got, err := Decode("sets.yaml", read(t, "applicationset.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	element := func(i, cluster string) Element {
		return Element{Path: "spec.generators[0].list.elements[" + i + "]", Values: map[string]string{
			"cluster": cluster, "url": "https://" + cluster + ".k8s.example.com", "values_file": "values-" + cluster + ".yaml",
		}}
	}
	want := Declared{Sets: []ApplicationSet{{
		Namespace: "argocd", Name: "order-service", File: "sets.yaml",
		Elements: []Element{element("0", "staging"), element("1", "production")},
		Template: map[string]any{
			"metadata": map[string]any{"name": "order-service-{{cluster}}"},
			"spec": map[string]any{
				"source": map[string]any{
					"repoURL": "https://github.com/myorg/k8s-config", "path": "apps/order-service",
					"helm": map[string]any{"valueFiles": []any{"values.yaml", "{{values_file}}"}},
				},
				"destination": map[string]any{"server": "{{url}}", "namespace": "production"},
			},
		},
	}}}
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(ApplicationSet{})); d != "" {
		t.Error(d)
	}
}

func TestAllProblemsOfAFileAreToldWithLineAndPath(t *testing.T) {
	file := `# two applications
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: Order_Service
spec:
  project: shop
  source:
    repoURL: https://github.com/myorg/k8s-config
    path: ../escape
    helm:
      fileParameters:
      - {name: a, path: b}
      valuefiles: [x]
  destination: {}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: second}
spec:
  source: {repoURL: 7, path: .}
  destination:
    name: staging
    server: https://staging
`
	want := `apps.yaml:5: metadata.name: "Order_Service" is no name: want lower-case letters, digits, - and ., at most 253
apps.yaml:7: spec.project: "shop": projects other than default are not supported yet
apps.yaml:10: spec.source.path: "../escape" does not stay inside the repository
apps.yaml:12: spec.source.helm.fileParameters: not supported yet
apps.yaml:14: spec.source.helm.valuefiles: unknown field
apps.yaml:15: spec.destination: server or name is missing
apps.yaml:21: spec.source.repoURL: want a string, got a number; put it in quotes
apps.yaml:22: spec.destination: server and name exclude each other`
	_, err := Decode("apps.yaml", []byte(file))
	if err == nil {
		t.Fatal("accepted")
	}
	if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(err.Error(), "\n")); d != "" {
		t.Error(d)
	}
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("kind %s, want invalid", fault.Of(err))
	}
}
