//go:build cluster

package kube

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

func TestCreatingByApplyLeavesAnApplyEntryOfOurs(t *testing.T) {
	c, ns := connect(t), namespace(t)
	live := mustApply(t, c, fresh(configMap(t, ns, "a", map[string]string{"k": "1"})))
	m, err := c.Metadata(t.Context(), manifest.IDOf(live))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.ManagedFields) != 1 || m.ManagedFields[0].Manager != manifest.Manager || m.ManagedFields[0].Operation != metav1.ManagedFieldsOperationApply {
		t.Fatalf("managed fields are %v, want one Apply entry of %s", m.ManagedFields, manifest.Manager)
	}
	if m.APIVersion != "v1" || m.Kind != "ConfigMap" {
		t.Errorf("the type is %s %s", m.APIVersion, m.Kind)
	}
	t.Run("and removing a field from it removes the field", func(t *testing.T) {
		after := mustApply(t, c, at(configMap(t, ns, "a", map[string]string{"other": "2"}), live))
		got, _, _ := unstructured.NestedStringMap(after.Object, "data")
		if d := cmp.Diff(map[string]string{"other": "2"}, got); d != "" {
			t.Error(d)
		}
	})
}

func TestCreatingWhatExistsIsAConflictAndChangesNothing(t *testing.T) {
	c, ns := connect(t), namespace(t)
	live := mustApply(t, c, fresh(configMap(t, ns, "a", map[string]string{"k": "1"})))
	_, _, err := c.Apply(t.Context(), fresh(configMap(t, ns, "a", map[string]string{"k": "2"})), false)
	mustBe(t, err, fault.Conflict)
	if fault.IsInFlight(err) {
		t.Error("an answered write is not in flight")
	}
	if !strings.HasPrefix(err.Error(), "apply ConfigMap "+ns+"/a: ") {
		t.Errorf("error %q does not name verb and object", err)
	}
	now, err := c.Get(t.Context(), manifest.IDOf(live))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(live.Object, now.Object); d != "" {
		t.Error(d)
	}
}

func TestAStaleResourceVersionIsAConflict(t *testing.T) {
	c, ns := connect(t), namespace(t)
	old := mustApply(t, c, fresh(configMap(t, ns, "a", map[string]string{"k": "1"})))
	mustApply(t, c, at(configMap(t, ns, "a", map[string]string{"k": "2"}), old))
	_, _, err := c.Apply(t.Context(), at(configMap(t, ns, "a", map[string]string{"k": "3"}), old), false)
	mustBe(t, err, fault.Conflict)
	mustBe(t, c.Delete(t.Context(), manifest.IDOf(old), old.GetUID(), old.GetResourceVersion()), fault.Conflict)
	now, err := c.Get(t.Context(), manifest.IDOf(old))
	if err != nil {
		t.Fatal(err)
	}
	if v, _, _ := unstructured.NestedString(now.Object, "data", "k"); v != "2" {
		t.Errorf("k is %q, want what the newer write said", v)
	}
}

func TestAnObjectMadeAnewIsAnother(t *testing.T) {
	c, ns := connect(t), namespace(t)
	old := mustApply(t, c, fresh(configMap(t, ns, "a", nil)))
	other(t, c, "DELETE", configMaps(ns)+"/a", "application/json", nil, nil)
	made := mustApply(t, c, fresh(configMap(t, ns, "a", nil)))
	u := at(configMap(t, ns, "a", map[string]string{"k": "stale"}), old)
	_, _, err := c.Apply(t.Context(), u, false)
	mustBe(t, err, fault.Conflict)
	u.SetResourceVersion(made.GetResourceVersion()) // only the uid differs
	_, _, err = c.Apply(t.Context(), u, false)
	mustBe(t, err, fault.Conflict)
	mustBe(t, c.Delete(t.Context(), manifest.IDOf(old), old.GetUID(), made.GetResourceVersion()), fault.Conflict)
}

func TestADeletedObjectIsNotMadeAgainByAStaleApply(t *testing.T) {
	c, ns := connect(t), namespace(t)
	old := mustApply(t, c, fresh(configMap(t, ns, "a", nil)))
	other(t, c, "DELETE", configMaps(ns)+"/a", "application/json", nil, nil)
	_, _, err := c.Apply(t.Context(), at(configMap(t, ns, "a", nil), old), false)
	mustBe(t, err, fault.Conflict)
	if !absent(t, c, manifest.IDOf(old)) {
		t.Fatal("it is there again")
	}
}

func TestAnApplyThatChangesNothingLeavesTheResourceVersion(t *testing.T) {
	c, ns := connect(t), namespace(t)
	u := configMap(t, ns, "a", map[string]string{"k": "1"})
	live := mustApply(t, c, fresh(u))
	if again := mustApply(t, c, at(u, live)); again.GetResourceVersion() != live.GetResourceVersion() {
		t.Errorf("resourceVersion went from %s to %s", live.GetResourceVersion(), again.GetResourceVersion())
	}
}

func TestADryRunWritesNothing(t *testing.T) {
	c, ns := connect(t), namespace(t)
	u := configMap(t, ns, "a", map[string]string{"k": "1"})
	would, _, err := c.Apply(t.Context(), u, true)
	if err != nil {
		t.Fatal(err)
	}
	if v, _, _ := unstructured.NestedString(would.Object, "data", "k"); v != "1" {
		t.Errorf("the dry run answers with k %q", v)
	}
	if !absent(t, c, manifest.IDOf(u)) {
		t.Fatal("the dry run made it")
	}
}

func TestCharactersThatYAMLRefusesArrive(t *testing.T) {
	c, ns := connect(t), namespace(t)
	want := map[string]string{"k": "\ufeffbom \x7f \u0085 \u009f \u2028 \x1b[1m ü \U0001f600 \\u007f <&>\t\r\n", "n": "no"}
	live := mustApply(t, c, fresh(configMap(t, ns, "a", want)))
	got, _, _ := unstructured.NestedStringMap(live.Object, "data")
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestApplyTellsTheServersWarnings(t *testing.T) {
	c, ns := connect(t), namespace(t)
	u := object(t, ns, `
apiVersion: v1
kind: Pod
metadata:
  name: a
  annotations: {seccomp.security.alpha.kubernetes.io/pod: runtime/default}
spec:
  containers: [{name: c, image: x}]
`)
	_, warnings, err := c.Apply(t.Context(), u, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "seccomp") {
		t.Errorf("warnings are %q", warnings)
	}
}

func TestDeletesTakeTheDependentsAndAreDoneOnce(t *testing.T) {
	c, ns := connect(t), namespace(t)
	live := mustApply(t, c, fresh(configMap(t, ns, "a", nil)))
	id := manifest.IDOf(live)
	if err := c.Delete(t.Context(), id, live.GetUID(), live.GetResourceVersion()); err != nil {
		t.Fatal(err)
	}
	until(t, "ConfigMap gone", func() bool { return absent(t, c, id) })
	if err := c.Delete(t.Context(), id, live.GetUID(), live.GetResourceVersion()); err != nil {
		t.Errorf("deleting what is gone: %v", err)
	}
	gone := manifest.ID{Group: "no.such.group", Kind: "Thing", Namespace: ns, Name: "a"}
	if err := c.Delete(t.Context(), gone, "u", "2"); err != nil {
		t.Errorf("deleting what went with its kind: %v", err)
	}
	mustBe(t, c.Delete(t.Context(), id, "", "2"), fault.Internal)
}

func TestAdoptReplacesTheManagedFieldsOfThatStateOnly(t *testing.T) {
	c, ns := connect(t), namespace(t)
	u := configMap(t, ns, "a", map[string]string{"k": "1", "gone": "soon"})
	live := other(t, c, "POST", configMaps(ns), "application/json", map[string]string{"fieldManager": "kubectl-client-side-apply"}, u.Object)
	id := manifest.IDOf(u)
	entries := live.GetManagedFields()
	entries[0].Manager, entries[0].Operation = manifest.Manager, metav1.ManagedFieldsOperationApply
	rv, err := c.Adopt(t.Context(), id, live.GetUID(), live.GetResourceVersion(), entries)
	if err != nil {
		t.Fatal(err)
	}
	now, err := c.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if now.GetResourceVersion() != rv {
		t.Errorf("resourceVersion is %s, Adopt said %s", now.GetResourceVersion(), rv)
	}
	if d := cmp.Diff(entries, now.GetManagedFields()); d != "" {
		t.Error(d)
	}
	t.Run("an older state is a conflict", func(t *testing.T) {
		_, err := c.Adopt(t.Context(), id, live.GetUID(), live.GetResourceVersion(), entries)
		mustBe(t, err, fault.Conflict)
	})
	t.Run("another object is a conflict", func(t *testing.T) {
		_, err := c.Adopt(t.Context(), id, "not-its-uid", rv, entries)
		mustBe(t, err, fault.Conflict)
	})
	t.Run("a field removed afterwards goes", func(t *testing.T) {
		after := mustApply(t, c, at(configMap(t, ns, "a", map[string]string{"k": "1"}), now))
		got, _, _ := unstructured.NestedStringMap(after.Object, "data")
		if d := cmp.Diff(map[string]string{"k": "1"}, got); d != "" {
			t.Error(d)
		}
	})
	t.Run("no entries at all is a bug", func(t *testing.T) {
		_, err := c.Adopt(t.Context(), id, live.GetUID(), rv, nil)
		mustBe(t, err, fault.Internal)
	})
}
