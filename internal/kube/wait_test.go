package kube

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
)

const crdGroup = `{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"apiextensions.k8s.io"},"versions":[{"version":"v1","resources":[
 {"resource":"customresourcedefinitions","responseKind":{"kind":"CustomResourceDefinition"},"scope":"Cluster","verbs":["list","patch"]}]}]}]}`

func crd(w http.ResponseWriter, conditions string) {
	_, _ = fmt.Fprintf(w, `{"spec":{"group":"x.io","scope":"Cluster","names":{"plural":"widgets","kind":"Widget"},
 "versions":[{"name":"v1","served":true},{"name":"v0","served":false}]},"status":{"conditions":[%s]}}`, conditions)
}

func establishing(_ *testing.T, serve http.HandlerFunc) *Cluster {
	c, s := timed(serve)
	groups := crdGroup
	s.groups.Store(&groups)
	return c
}

const established = `{"type":"NamesAccepted","status":"True"},{"type":"Established","status":"True"}`

var widget = schema.GroupKind{Group: "x.io", Kind: "Widget"}

// Fault 31: the CRD's handler starts a moment after its condition says so, and discovery follows later still.
func TestAKindIsKnownOnceItAnswersAlsoBeforeDiscoveryShowsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var definitions, lists atomic.Int32
		c := establishing(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/widgets.x.io"):
				switch definitions.Add(1) {
				case 1:
					crd(w, "")
				case 2:
					status(w, http.StatusServiceUnavailable, "", "starting")
				default:
					crd(w, established)
				}
			case lists.Add(1) < 3:
				status(w, http.StatusNotFound, "", "404 page not found")
			default:
				page(w, "")
			}
		})
		if err := c.Established(t.Context(), "widgets.x.io"); err != nil {
			t.Fatal(err)
		}
		if lists.Load() != 3 {
			t.Errorf("it was asked %d times, want 3", lists.Load())
		}
		if namespaced, err := c.Namespaced(t.Context(), widget, "v1"); err != nil || namespaced {
			t.Fatal(namespaced, err)
		}
		if _, err := c.Namespaced(t.Context(), widget, "v0"); !unknown(err) {
			t.Error("a version that is not served is known:", err)
		}
		time.Sleep(recallTime + time.Second)
		if _, err := c.Namespaced(t.Context(), widget, "v1"); !unknown(err) {
			t.Error("remembered for ever:", err)
		}
	})
}

func TestWaitingForADefinitionIsBoundedAndSaysWhy(t *testing.T) {
	for name, test := range map[string]struct {
		serve http.HandlerFunc
		want  fault.Kind
		says  string
		took  time.Duration
	}{
		"never established": {func(w http.ResponseWriter, _ *http.Request) { crd(w, "") }, fault.Unavailable, "it is not established yet", establishTime},
		"names taken": {func(w http.ResponseWriter, _ *http.Request) {
			crd(w, `{"type":"NamesAccepted","status":"False","message":"\"widgets\" is already in use"}`)
		}, fault.Invalid, "already in use", 0},
		"absent":         {func(w http.ResponseWriter, _ *http.Request) { status(w, 404, "NotFound", "not found") }, fault.NotFound, "not found", 0},
		"denied":         {func(w http.ResponseWriter, _ *http.Request) { status(w, 403, "Forbidden", "no") }, fault.Denied, "no", 0},
		"never answered": {func(w http.ResponseWriter, _ *http.Request) { status(w, 503, "", "down") }, fault.Unavailable, "down", establishTime},
		"no JSON":        {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("OK")) }, fault.Unavailable, "decode", 0},
		"handler is stuck": {func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/widgets.x.io") {
				crd(w, established)
				return
			}
			status(w, 404, "", "404 page not found")
		}, fault.Unavailable, "not served yet", establishTime},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := establishing(t, test.serve)
				start := time.Now()
				err := c.Established(t.Context(), "widgets.x.io")
				if !fault.Is(err, test.want) {
					t.Errorf("kind %v", fault.Of(err))
				}
				says(t, err, "CustomResourceDefinition.apiextensions.k8s.io widgets.x.io", test.says)
				if took := time.Since(start); took != test.took {
					t.Errorf("it took %s, want %s", took, test.took)
				}
			})
		})
	}
}

// Fault 32.
func TestWaitingForATerminatingNamespaceIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := timed(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				t.Errorf("%s while it terminates", r.Method)
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"metadata":{"name":"n","deletionTimestamp":"2026-01-01T00:00:00Z"}}`))
		})
		start := time.Now()
		_, err := c.EnsureNamespace(t.Context(), "n")
		if !fault.Is(err, fault.Unavailable) || time.Since(start) != terminateTime {
			t.Error(err, time.Since(start))
		}
		says(t, err, "create Namespace n: it is being terminated")
	})
}

func TestANamespaceThatSomebodyElseMakesIsNotOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reads, writes atomic.Int32
		c, _ := timed(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPatch {
				writes.Add(1)
				status(w, http.StatusConflict, "Conflict", "the object has been modified")
				return
			}
			if reads.Add(1) == 1 {
				status(w, http.StatusNotFound, "NotFound", "not found")
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"metadata":{"name":"n"}}`))
		})
		created, err := c.EnsureNamespace(t.Context(), "n")
		if err != nil || created || writes.Load() != 1 {
			t.Error(created, err, writes.Load())
		}
	})
}
