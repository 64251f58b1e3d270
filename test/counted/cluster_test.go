//go:build cluster

package counted

import (
	"slices"
	"testing"

	"slipway/internal/manifest"
	"slipway/test/cluster"
)

func TestMain(m *testing.M) { cluster.Main(m) }

func TestWritesAreCountedAndDryRunsAreNot(t *testing.T) {
	c := Connect(t)
	var seen []string
	c.Before(func(write string) { seen = append(seen, write) })
	u := c.Object("{apiVersion: v1, kind: ConfigMap, metadata: {name: b}, data: {k: v, j: v}}")
	if _, _, err := c.Apply(t.Context(), u, true); err != nil {
		t.Fatal(err)
	}
	u.SetResourceVersion("1")
	live, _, err := c.Apply(t.Context(), u, false)
	if err != nil {
		t.Fatal(err)
	}
	if live, err = c.Patch(t.Context(), manifest.IDOf(u), live.GetUID(), live.GetResourceVersion(), []byte(`[{"op":"remove","path":"/data/k"}]`)); err != nil {
		t.Fatal(err)
	}
	rv, err := c.Adopt(t.Context(), manifest.IDOf(u), live.GetUID(), live.GetResourceVersion(), live.GetManagedFields())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(t.Context(), manifest.IDOf(u), live.GetUID(), rv); err != nil {
		t.Fatal(err)
	}
	want := []string{"apply ConfigMap/b", "patch ConfigMap/b", "adopt ConfigMap/b", "delete ConfigMap/b"}
	if got := c.Writes(); !slices.Equal(got, want) || !slices.Equal(seen, want) {
		t.Errorf("written was %q, seen %q", got, seen)
	}
	slices.Sort(want)
	if got := c.Take(); !slices.Equal(got, want) || c.Take() != nil {
		t.Errorf("taken was %q", got)
	}
}
