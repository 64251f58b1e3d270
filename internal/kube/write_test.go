package kube

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/fault"
)

// seen is a request as the server got it.
type seen struct {
	Method, Path, Content string
	Query                 map[string]string
	Body                  map[string]any
}

func TestWritesSayWhatTheProtocolWants(t *testing.T) {
	var got seen
	c, _ := fake(t, func(w http.ResponseWriter, r *http.Request) {
		got = seen{Method: r.Method, Path: r.URL.Path, Content: r.Header.Get("Content-Type"), Query: map[string]string{}}
		for k, v := range r.URL.Query() {
			got.Query[k] = v[0]
		}
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var list []any
		if json.Unmarshal(raw, &list) == nil {
			got.Body = map[string]any{"patch": list}
		} else if err := json.Unmarshal(raw, &got.Body); err != nil {
			t.Error(err)
		}
		w.Header().Add("Warning", `299 - "spec.x is deprecated"`)
		w.Header().Add("Warning", "nonsense")
		w.Header().Set("Content-Type", "application/json")
		echo(w, r)
	}, token)
	const path = "/api/v1/namespaces/n/configmaps/a"
	check := func(want seen, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	u := someObject("ConfigMap")
	u.SetUID("u")
	u.SetResourceVersion("2")
	apply := map[string]string{"fieldManager": "slipway", "force": "true", "fieldValidation": "Strict"}
	_, warnings, err := c.Apply(t.Context(), u, true)
	apply["dryRun"] = "All"
	check(seen{"PATCH", path, "application/apply-patch+yaml", apply, u.Object}, err)
	if d := cmp.Diff([]string{"spec.x is deprecated"}, warnings); d != "" {
		t.Error(d)
	}
	_, _, err = c.Apply(t.Context(), u, false)
	delete(apply, "dryRun")
	apply["timeout"] = "10s"
	check(seen{"PATCH", path, "application/apply-patch+yaml", apply, u.Object}, err)

	err = c.Delete(t.Context(), aConfigMap, "u", "2")
	check(seen{"DELETE", path, "application/json", map[string]string{"timeout": "10s"}, map[string]any{
		"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground",
		"preconditions": map[string]any{"uid": "u", "resourceVersion": "2"},
	}}, err)

	rv, err := c.Adopt(t.Context(), aConfigMap, "u", "2", someEntries)
	check(seen{"PATCH", path, "application/json-patch+json", map[string]string{"timeout": "10s", "fieldManager": "slipway"}, map[string]any{"patch": []any{
		map[string]any{"op": "replace", "path": "/metadata/managedFields", "value": []any{map[string]any{"manager": "slipway", "operation": "Apply"}}},
		map[string]any{"op": "replace", "path": "/metadata/uid", "value": "u"},
		map[string]any{"op": "replace", "path": "/metadata/resourceVersion", "value": "2"},
	}}}, err)
	if rv != "7" {
		t.Errorf("Adopt says resourceVersion %q", rv)
	}
}

func TestADeleteThatFindsNothingIsDone(t *testing.T) {
	c, _ := fake(t, func(w http.ResponseWriter, _ *http.Request) { status(w, 404, "NotFound", "not found") }, token)
	if err := c.Delete(t.Context(), aConfigMap, "u", "2"); err != nil {
		t.Error(err)
	}
	for _, pre := range [][2]string{{"", "2"}, {"u", ""}} {
		if err := c.Delete(t.Context(), aConfigMap, types.UID(pre[0]), pre[1]); !fault.Is(err, fault.Internal) {
			t.Errorf("without preconditions %v: %v", pre, err)
		}
	}
}
