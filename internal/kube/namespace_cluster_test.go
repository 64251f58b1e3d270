//go:build cluster

package kube

import (
	"context"
	"strings"
	"testing"
	"time"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

func TestEnsureNamespaceMakesItOnceAndLeavesItAlone(t *testing.T) {
	c := connect(t)
	name := namespace(t) + "-made"
	t.Cleanup(func() {
		other(t, connect(t), "DELETE", "/api/v1/namespaces/"+name, "application/json", nil, nil)
	})
	created, err := c.EnsureNamespace(t.Context(), name)
	if err != nil || !created {
		t.Fatalf("created %v, %v", created, err)
	}
	m, err := c.Metadata(t.Context(), manifest.ID{Kind: "Namespace", Name: name})
	if err != nil {
		t.Fatal(err)
	}
	if _, ours := m.Labels[manifest.Label]; ours {
		t.Error("it carries our label and would be pruned")
	}
	created, err = c.EnsureNamespace(t.Context(), name)
	if err != nil || created {
		t.Fatalf("the second time: created %v, %v", created, err)
	}
	now, err := c.Metadata(t.Context(), manifest.ID{Kind: "Namespace", Name: name})
	if err != nil || now.ResourceVersion != m.ResourceVersion && now.Generation != m.Generation {
		t.Fatal("the second time changed it", err)
	}
}

func TestATerminatingNamespaceIsWaitedForAndRefusesObjects(t *testing.T) {
	c := connect(t)
	name := namespace(t)
	held := configMap(t, name, "held", nil)
	held.SetFinalizers([]string{"test.slipway.dev/hold"})
	mustApply(t, c, fresh(held))
	other(t, c, "DELETE", "/api/v1/namespaces/"+name, "application/json", nil, nil)

	_, _, err := c.Apply(t.Context(), fresh(configMap(t, name, "late", nil)), false)
	mustBe(t, err, fault.Unavailable)
	if fault.IsInFlight(err) {
		t.Error("a refused write is in flight")
	}
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = c.EnsureNamespace(short, name)
	mustBe(t, err, fault.Unavailable)
	if !strings.Contains(err.Error(), "it is being terminated") {
		t.Error(err)
	}

	done := make(chan error, 1)
	go func() {
		created, err := c.EnsureNamespace(t.Context(), name)
		if err == nil && !created {
			err = fault.New(fault.Internal, "it did not make the namespace anew")
		}
		done <- err
	}()
	other(t, c, "PATCH", configMaps(name)+"/held", mergePatch, nil, map[string]any{"metadata": map[string]any{"finalizers": nil}})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
