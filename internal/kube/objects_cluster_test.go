//go:build cluster

package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// object reads YAML and puts it into a namespace.
func object(t *testing.T, namespace, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
		t.Fatal(err)
	}
	if namespace != "" {
		u.SetNamespace(namespace)
	}
	return u
}

func configMap(t *testing.T, namespace, name string, data map[string]string) *unstructured.Unstructured {
	t.Helper()
	u := object(t, namespace, "{apiVersion: v1, kind: ConfigMap}")
	u.SetName(name)
	if err := unstructured.SetNestedStringMap(u.Object, data, "data"); err != nil {
		t.Fatal(err)
	}
	return u
}

// fresh is u as it is sent to be created, at is u as it is sent to replace live.
func fresh(u *unstructured.Unstructured) *unstructured.Unstructured {
	u = u.DeepCopy()
	u.SetResourceVersion("1")
	return u
}

func at(u, live *unstructured.Unstructured) *unstructured.Unstructured {
	u = u.DeepCopy()
	u.SetUID(live.GetUID())
	u.SetResourceVersion(live.GetResourceVersion())
	return u
}

func mustApply(t *testing.T, c *Cluster, u *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	live, _, err := c.Apply(t.Context(), u, false)
	if err != nil {
		t.Fatal(err)
	}
	return live
}

func mustBe(t *testing.T, err error, want fault.Kind) {
	t.Helper()
	if !fault.Is(err, want) {
		t.Fatalf("got %v error %v, want %v", fault.Of(err), err, want)
	}
}

// other writes past our own calls, as another client would.
func other(t *testing.T, c *Cluster, method, path, content string, query map[string]string, body any) *unstructured.Unstructured {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	u := *c.base
	u.Path = path
	q := u.Query()
	for k, v := range query {
		q.Set(k, v)
	}
	u.RawQuery = q.Encode()
	ctx, cancel := context.WithTimeout(context.Background(), callTime) // clean-ups call it too, after t.Context
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", content)
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got := &unstructured.Unstructured{}
	if err := json.NewDecoder(resp.Body).Decode(&got.Object); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: %v", method, path, got.Object["message"])
	}
	return got
}

const mergePatch = string(types.MergePatchType)

func configMaps(namespace string) string { return "/api/v1/namespaces/" + namespace + "/configmaps" }

// until waits for a condition of the cluster.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := poll(ctx, what, func() (string, error) {
		if f() {
			return "", nil
		}
		return "not yet", nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func absent(t *testing.T, c *Cluster, id manifest.ID) bool {
	t.Helper()
	_, err := c.Metadata(t.Context(), id)
	if err != nil && !fault.Is(err, fault.NotFound) {
		t.Fatal(err)
	}
	return err != nil
}
