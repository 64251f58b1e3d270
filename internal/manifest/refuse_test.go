package manifest

import (
	"strings"
	"testing"

	"slipway/internal/fault"
)

func TestRefuseNamesFileObjectAndReason(t *testing.T) {
	meta := func(s string) string { return "apiVersion: v1\nkind: ConfigMap\nmetadata: " + s }
	note := func(s string) string { return meta("{name: c, namespace: s, annotations: {" + s + "}}") }
	for _, tt := range []struct {
		name, text string
		want       string // "": accepted
	}{
		{"plain", meta("{name: c}"), ""},
		{"all of it", meta("{name: c, namespace: s, labels: {a: b}, annotations: {x: z}}"), ""},
		{"null labels", meta("{name: c, labels: }"), ""},
		{"no metadata", "apiVersion: v1\nkind: ConfigMap", "metadata is missing"},
		{"metadata is text", meta("x"), "metadata is missing"},
		{"no name", meta("{namespace: s}"), "metadata.name"},
		{"a number for a name", meta("{name: 1}"), "metadata.name"},
		{"generateName", meta("{generateName: c-}"), "generateName"},
		{"generateName beside a name", meta("{generateName: c-, name: c}"), "generateName"},
		{"a number for a namespace", meta("{name: c, namespace: 1}"), "metadata.namespace is not text"},
		{"a name that is another path", meta("{name: ../secrets/x}"), `"../secrets/x"`},
		{"a name that is a dot", meta("{name: '..'}"), `".."`},
		{"a namespace that is another path", meta("{name: c, namespace: a/b}"), `"a/b"`},
		{"an escaped path", meta("{name: 'a%2fb'}"), `"a%2fb"`},
		{"a name that a terminal obeys", meta(`{name: "c\e[2J"}`), "ConfigMap c[2J: metadata.name holds control characters"},
		{"a name in two lines", meta(`{name: "c\nd"}`), "ConfigMap c d: metadata.name holds control characters"},
		{"a namespace that is read backwards", meta(`{name: c, namespace: "a\u202eb"}`), "metadata.namespace holds control characters"},
		{"a kind that a terminal obeys", "apiVersion: v1\nkind: \"C\\e[2J\"\nmetadata: {name: c}", "f.yaml: C[2J c: kind holds control characters"},
		{"an API that a terminal obeys", "apiVersion: \"v1\\x7f\"\nkind: C\nmetadata: {name: c}", "apiVersion holds control characters"},
		{"a role of the system", "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: 'system:x'}", ""},

		{"a number in labels", meta("{name: c, labels: {version: 1.10}}"), `metadata.labels["version"] is not text`},
		{"a boolean in annotations", note("on: yes"), `metadata.annotations["true"] is not text`},
		{"labels are a list", meta("{name: c, labels: [a]}"), "metadata.labels is not a map"},

		{"a hook of Argo CD", note("argocd.argoproj.io/hook: PreSync"), "argocd.argoproj.io/hook: PreSync"},
		{"a skip of Argo CD", note("argocd.argoproj.io/hook: Skip"), "argocd.argoproj.io/hook: Skip"},
		{"a hook of Helm", note("helm.sh/hook: post-install"), "helm.sh/hook: post-install"},
		{"one hook of Helm among tests", note("helm.sh/hook: 'test, pre-upgrade'"), "pre-upgrade"},
		{"a hook of Helm that nobody knows", note("helm.sh/hook: pre-flight"), "pre-flight"},
		{"Argo's beats Helm's", note("argocd.argoproj.io/hook: Sync, helm.sh/hook: crd-install"), "argocd.argoproj.io/hook: Sync"},
		{"crd-install is a plain object", note("helm.sh/hook: crd-install"), ""},
		{"a hook with control characters", note(`argocd.argoproj.io/hook: "a\e[31mb"`), "hook: a[31mb"},

		{"wave 0", note("argocd.argoproj.io/sync-wave: '0'"), ""},
		{"wave 1", note("argocd.argoproj.io/sync-wave: '1'"), "sync-wave: 1"},
		{"wave -5", note("argocd.argoproj.io/sync-wave: '-5'"), "sync-wave: -5"},
		{"a wave that is no number", note("argocd.argoproj.io/sync-wave: first"), "sync-wave: first"},
		{"Helm's weight is a wave", note("helm.sh/hook: crd-install, helm.sh/hook-weight: '-1'"), "hook-weight: -1"},
		{"Argo's wave 0 beats Helm's weight", note("argocd.argoproj.io/sync-wave: '0', helm.sh/hook-weight: '5'"), ""},

		{"a Rollout", "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: r}", ""},
		{"an AnalysisTemplate", "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nmetadata: {name: r}", ""},
		{"a ClusterAnalysisTemplate", "apiVersion: argoproj.io/v1alpha1\nkind: ClusterAnalysisTemplate\nmetadata: {name: r}", ""},
		{"an AnalysisRun", "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisRun\nmetadata: {name: r}", "is made by a Rollout, and not kept in git: name its template in a step of the Rollout"},
		{"an Experiment", "apiVersion: argoproj.io/v1alpha1\nkind: Experiment\nmetadata: {name: r}", "nothing runs an Experiment: compare the revisions by an analysis in a step of a Rollout"},
		{"an AppProject", "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {name: r}", "AppProject comes with projects"},
		{"an Application", "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: r}", ""},
		{"somebody else's Rollout", "apiVersion: example.com/v1\nkind: Rollout\nmetadata: {name: r}", ""},

		{"a number in a Secret", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {port: 31337}", `stringData["port"] is not text`},
		{"a map in a Secret", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {port: {a: b}}", `data["port"] is not text`},
		{"text for a Secret's data", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: hunter2", "data is not a map"},
		{"null in a Secret", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: }", ""},
		{"a number in a ConfigMap is left to the server", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: s}\ndata: {a: 1}", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := Refuse(one(t, tt.text))
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), "f.yaml: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to name %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "31337") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a secret value is in %v", err)
			}
		})
	}
}

func TestRefuseNamesWhatHasNoKind(t *testing.T) {
	for _, k := range []string{"apiVersion", "kind"} {
		o := obj("v1 ConfigMap s/c")
		for _, v := range []any{nil, "", 1.5} {
			o.Object[k] = v
			if err := Refuse(o); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), k+" is missing") {
				t.Errorf("%v: %v", v, err)
			}
		}
	}
	list := obj("v1 ConfigMapList s/c")
	if err := Refuse(list); err != nil {
		t.Errorf("a kind that only ends in List: %v", err)
	}
	list.Object["items"] = []any{}
	if err := Refuse(list); !fault.Is(err, fault.Invalid) {
		t.Errorf("a list: %v", err)
	}
}

func TestHelmTestsAndRollbacksAreLeftOut(t *testing.T) {
	for hooks, want := range map[string]bool{
		"helm.sh/hook: test": true, "helm.sh/hook: test-success": true, "helm.sh/hook: 'test, test-failure'": true,
		"helm.sh/hook: pre-rollback": true, "helm.sh/hook: 'test,post-rollback'": true,
		"helm.sh/hook: 'test,post-install'": false, "helm.sh/hook: crd-install": false, "helm.sh/hook: ''": false,
		"x: z": false, "helm.sh/hook: test, argocd.argoproj.io/hook: PreSync": false,
	} {
		o := one(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {"+hooks+"}}")
		if got := LeftOut(o); got != want {
			t.Errorf("%s: left out is %v", hooks, got)
		}
		if err := Refuse(o); want && err != nil {
			t.Errorf("%s: %v", hooks, err)
		}
	}
}
