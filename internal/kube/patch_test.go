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

func TestAPatchHoldsTheObjectToItsState(t *testing.T) {
	var got []any
	c, _ := fake(t, func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.Method != http.MethodPatch || r.Header.Get("Content-Type") != "application/json-patch+json" || r.URL.Query().Get("fieldManager") != "slipway" || !r.URL.Query().Has("timeout") {
			t.Errorf("%s %s of %s", r.Method, r.URL, r.Header.Get("Content-Type"))
		}
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Error(err)
		}
		echo(w, r)
	}, token)
	u, err := c.Patch(t.Context(), aConfigMap, "u", "2", []byte(`[{"op":"remove","path":"/data/x"}]`))
	if err != nil || u.GetResourceVersion() != "7" {
		t.Fatal(u, err)
	}
	want := []any{
		map[string]any{"op": "remove", "path": "/data/x"},
		map[string]any{"op": "replace", "path": "/metadata/uid", "value": "u"},
		map[string]any{"op": "replace", "path": "/metadata/resourceVersion", "value": "2"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestAPatchWithoutAStateOrOperationsIsNotSent(t *testing.T) {
	c, s := fake(t, echo, token)
	for _, test := range [][3]string{{"", "2", `[{}]`}, {"u", "", `[{}]`}, {"u", "2", `[]`}, {"u", "2", `{}`}, {"u", "2", ``}, {"u", "2", `null`}} {
		if _, err := c.Patch(t.Context(), aConfigMap, types.UID(test[0]), test[1], []byte(test[2])); !fault.Is(err, fault.Internal) {
			t.Errorf("%v: %v", test, err)
		}
	}
	if s.asked.Load() != 0 {
		t.Errorf("%d requests", s.asked.Load())
	}
}

func TestAPatchThatDoesNotFitIsAConflictOnlyWhenTheObjectHasChanged(t *testing.T) {
	for name, test := range map[string]struct {
		uid     types.UID
		version string
		want    fault.Kind
	}{
		"the same state": {"u", "7", fault.Invalid},
		"another state":  {"u", "2", fault.Conflict},
		"another object": {"other", "7", fault.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := fake(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPatch {
					status(w, 422, "Invalid", "the server rejected our request due to an error in our request")
					return
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(`{"metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"7"}}`))
			}, token)
			_, err := c.Patch(t.Context(), aConfigMap, test.uid, test.version, []byte(`[{"op":"remove","path":"/data/x"}]`))
			if !fault.Is(err, test.want) || fault.IsInFlight(err) {
				t.Error(fault.Of(err), err)
			}
		})
	}
}

func TestAPatchWithoutAReadableAnswerIsInFlight(t *testing.T) {
	c, _ := fake(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("nonsense")) }, token)
	if _, err := c.Patch(t.Context(), aConfigMap, "u", "2", []byte(`[{"op":"remove","path":"/data/x"}]`)); !fault.IsInFlight(err) || !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}
