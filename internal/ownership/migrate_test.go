package ownership

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const imagePath = `.spec.template.spec.containers[name="app"].image`

func managers(entries []metav1.ManagedFieldsEntry) []string {
	var out []string
	for _, e := range entries {
		s := e.Manager + " " + string(e.Operation)
		if e.Subresource != "" {
			s += " " + e.Subresource
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func TestWhateverMadeAnObjectItsFieldsBecomeOurs(t *testing.T) {
	for _, name := range []string{"kubectl-create", "kubectl-apply", "kubectl-apply-server-side", "kubectl-replace", "argocd-client-side", "argocd-server-side", "helm"} {
		t.Run(name, func(t *testing.T) {
			in := fixture(t, name).ManagedFields
			before := slices.Clone(in)
			out, changed := Migrate(in)
			if !changed {
				t.Fatal("nothing changed")
			}
			if diff := cmp.Diff([]string{"kube-controller-manager Update status", "slipway Apply"}, managers(out)); diff != "" {
				t.Fatal(diff)
			}
			ours, _ := Ours(out)
			for _, path := range []string{imagePath, ".metadata.labels.team", ".metadata.annotations.note", ".spec.replicas", `.spec.template.spec.containers[name="app"].env[name="B"]`} {
				if !slices.Contains(Paths(ours.FieldsV1), path) {
					t.Errorf("%s is not ours, so it would outlive its removal from git", path)
				}
			}
			if ours.APIVersion != "apps/v1" || ours.FieldsType != "FieldsV1" {
				t.Errorf("our entry is %s %s", ours.APIVersion, ours.FieldsType)
			}
			if diff := cmp.Diff(before, in); diff != "" {
				t.Errorf("its input was changed: %s", diff)
			}
			if again, changed := Migrate(out); changed {
				t.Errorf("a second time: %v", managers(again))
			}
		})
	}
}

func TestTheAnnotationOfClientSideApplyBecomesOursSoThatItGoes(t *testing.T) {
	for _, name := range []string{"kubectl-apply", "argocd-client-side"} {
		out, _ := Migrate(fixture(t, name).ManagedFields)
		ours, _ := Ours(out)
		if !slices.Contains(Paths(ours.FieldsV1), `.metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]`) {
			t.Errorf("%s: not ours", name)
		}
	}
}

func TestEditsOfPeopleStayTheirs(t *testing.T) {
	in := fixture(t, "kubectl-edits").ManagedFields
	out, changed := Migrate(in)
	if !changed {
		t.Fatal("kubectl-client-side-apply was not taken over")
	}
	want := []string{
		"kube-controller-manager Update status", "kubectl Update scale", "kubectl-annotate Update", "kubectl-label Update",
		"kubectl-patch Update", "kubectl-set Update", "slipway Apply",
	}
	if diff := cmp.Diff(want, managers(out)); diff != "" {
		t.Error(diff)
	}
	ours, _ := Ours(out)
	if slices.Contains(Paths(ours.FieldsV1), imagePath) {
		t.Error("an image that somebody set is ours before the apply takes it over")
	}
	for _, e := range Kept(out, fixture(t, "kubectl-edits-adopted").ManagedFields) {
		t.Errorf("%s is reported as kept by %s, but git never had it", e.Path, e.Manager)
	}
}

func TestALaterKubectlApplyOnAnObjectOfOursIsAnEditNotOurs(t *testing.T) {
	if out, changed := Migrate(fixture(t, "kubectl-apply-onto-ours").ManagedFields); changed {
		t.Errorf("taken over: %v", managers(out))
	}
}

func TestFieldsOfAnObjectWithoutManagedFieldsAreTakenAfterTheFirstApply(t *testing.T) {
	out, changed := Migrate(fixture(t, "before-first-apply").ManagedFields)
	if !changed {
		t.Fatal("before-first-apply was left, so what git removes would stay")
	}
	if diff := cmp.Diff([]string{"slipway Apply"}, managers(out)); diff != "" {
		t.Error(diff)
	}
	ours, _ := Ours(out)
	for _, path := range []string{".data.b", ".metadata.labels.team", `.metadata.labels["slipway.dev/application"]`} {
		if !slices.Contains(Paths(ours.FieldsV1), path) {
			t.Errorf("%s is not ours", path)
		}
	}
}

func TestOnlyEntriesOfOneVersionAreUnited(t *testing.T) {
	old := entry("kubectl-create", update, `{"f:spec":{"f:old":{}}}`)
	old.APIVersion = "autoscaling/v1"
	newer := entry("argocd-controller", apply, `{"f:spec":{"f:new":{}}}`)
	newer.APIVersion = "autoscaling/v2"
	ours := entry("slipway", apply, `{"f:spec":{"f:mine":{}}}`)
	ours.APIVersion = "autoscaling/v2"
	t.Run("as ours", func(t *testing.T) {
		out, changed := Migrate([]metav1.ManagedFieldsEntry{old, ours, newer})
		want := ours
		want.FieldsV1 = raw(`{"f:spec":{"f:mine":{},"f:new":{}}}`)
		if diff := cmp.Diff([]metav1.ManagedFieldsEntry{old, want}, out); !changed || diff != "" {
			t.Error(changed, diff)
		}
	})
	t.Run("as the first creator", func(t *testing.T) {
		out, _ := Migrate([]metav1.ManagedFieldsEntry{old, newer})
		want := old
		want.Manager, want.Operation = "slipway", apply
		if diff := cmp.Diff([]metav1.ManagedFieldsEntry{want, newer}, out); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhoMadeAnObjectIsToldByNameOrByTheAnnotation(t *testing.T) {
	const annotated = `{"f:metadata":{"f:annotations":{"f:kubectl.kubernetes.io/last-applied-configuration":{}}}}`
	for _, tt := range []struct {
		name    string
		e       metav1.ManagedFieldsEntry
		creates bool
	}{
		{"a POST in our name", entry("slipway", update, `{"f:a":{}}`), true},
		{"Argo CD of old", entry("argocd-application-controller", update, `{"f:a":{}}`), true},
		{"Helm 4", entry("helm", apply, `{"f:a":{}}`), true},
		{"kubectl apply --server-side", entry("kubectl", apply, `{"f:a":{}}`), true},
		{"kubectl of old applying", entry("kubectl", update, annotated), true},
		{"a tool that applies like kubectl", entry("pulumi", update, annotated), true},
		{"kubectl of old editing", entry("kubectl", update, `{"f:a":{}}`), false},
		{"kubectl edit --save-config", entry("kubectl-edit", update, annotated), false},
		{"a controller", entry("kube-controller-manager", update, `{"f:a":{}}`), false},
		{"Flux, which may still run", entry("kustomize-controller", apply, `{"f:a":{}}`), false},
		{"our rollouts", entry("slipway-rollout", apply, `{"f:a":{}}`), false},
		{"a subresource", metav1.ManagedFieldsEntry{Manager: "helm", Operation: update, Subresource: "status", FieldsV1: raw(annotated)}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, changed := Migrate([]metav1.ManagedFieldsEntry{tt.e}); changed != tt.creates {
				t.Errorf("taken over: %v, want %v", changed, tt.creates)
			}
		})
	}
	if out, changed := Migrate(nil); changed || out != nil {
		t.Errorf("no entries: %v %v", out, changed)
	}
}
