package server

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

func configMap(name, key, value string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": name, "namespace": "n"}, "data": map[string]any{key: value}}}
}

func labelled(name, key, value string) *unstructured.Unstructured {
	u := configMap(name, key, value)
	u.SetLabels(map[string]string{manifest.Label: "shop"})
	return u
}

func fresh(u *unstructured.Unstructured) *unstructured.Unstructured {
	u.SetResourceVersion("1")
	return u
}

func TestWhatIsAroundARequestMayStandInForItOrFollowIt(t *testing.T) {
	s, refused := New(), errors.New("refused")
	s.Around(func(op string, call func() error) error {
		if op == "try" {
			return refused
		}
		if err := call(); err != nil {
			return err
		}
		return fault.New(fault.Unavailable, "the answer was lost")
	})
	if _, _, err := s.Apply(t.Context(), configMap("a", "k", "v"), true); !errors.Is(err, refused) {
		t.Errorf("a dry run: %v", err)
	}
	_, _, err := s.Apply(t.Context(), fresh(configMap("a", "k", "v")), false)
	if !fault.Is(err, fault.Unavailable) || s.Live(manifest.IDOf(configMap("a", "", ""))) == nil {
		t.Errorf("it is not there, or the answer is: %v", err)
	}
	if _, _, err := s.Apply(Undisturbed(t.Context()), fresh(configMap("b", "k", "v")), false); err != nil {
		t.Errorf("undisturbed: %v", err)
	}
	if d := cmp.Diff([]string{"try", "apply", "apply"}, s.Requests()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"apply ConfigMap/a", "apply ConfigMap/b"}, s.Take()); d != "" || s.Take() != nil || s.Count("apply") != 0 {
		t.Error("taken:", d)
	}
}

func TestAWriteWithoutConditionIsRefusedHere(t *testing.T) { // protocol rule 12: a real server would take it
	s := New()
	u := configMap("a", "k", "v")
	if _, _, err := s.Apply(t.Context(), u, false); !fault.Is(err, fault.Internal) {
		t.Errorf("without resourceVersion: %v", err)
	}
	u.SetUID("u")
	if _, _, err := s.Apply(t.Context(), fresh(u), false); !fault.Is(err, fault.Internal) {
		t.Errorf("a creation with a uid: %v", err)
	}
	if len(s.Objects()) != 0 {
		t.Error("it was made")
	}
}

func TestRefusalsAreOfOneObjectOrOneKind(t *testing.T) {
	s := New()
	a := manifest.IDOf(configMap("a", "", ""))
	s.Refuse(a, fault.New(fault.Denied, "no"))
	for _, dry := range []bool{true, false} {
		if _, _, err := s.Apply(t.Context(), fresh(configMap("a", "k", "v")), dry); !fault.Is(err, fault.Denied) {
			t.Errorf("dry run %v: %v", dry, err)
		}
	}
	if _, _, err := s.Apply(t.Context(), fresh(configMap("b", "k", "v")), false); err != nil {
		t.Error(err)
	}
	s.Refuse(a, nil)
	if _, _, err := s.Apply(t.Context(), fresh(configMap("a", "k", "v")), false); err != nil {
		t.Error(err)
	}
	s.Serve("ConfigMap", false)
	if _, err := s.Namespaced(t.Context(), configMaps, "v1"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a kind that is not served: %v", err)
	}
}
