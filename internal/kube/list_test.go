package kube

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// page answers a list of metadata in JSON, as an aggregated API without protobuf does.
func page(w http.ResponseWriter, next string, names ...string) {
	w.Header().Set("Content-Type", "application/json")
	var items []string
	for _, n := range names {
		items = append(items, fmt.Sprintf(`{"metadata":{"name":%q}}`, n))
	}
	_, _ = fmt.Fprintf(w, `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{"continue":%q},"items":[%s]}`, next, strings.Join(items, ","))
}

var configMapKind = schema.GroupKind{Kind: "ConfigMap"}

func names(items []metav1.PartialObjectMetadata) (out []string) {
	for _, m := range items {
		out = append(out, m.Name)
	}
	return out
}

func TestAListGoesThroughItsPagesWithTheSelector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := timed(func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			if q.Get("labelSelector") != manifest.Label+"=mine" || q.Get("limit") != "500" || q.Has("timeout") || q.Has("resourceVersion") {
				t.Errorf("query is %v", q)
			}
			if !strings.HasPrefix(r.Header.Get("Accept"), "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;") {
				t.Errorf("accepts %q", r.Header.Get("Accept"))
			}
			switch q.Get("continue") {
			case "":
				page(w, "2", "a", "b")
			case "2":
				page(w, "", "c")
			}
		})
		items, err := c.List(t.Context(), "mine", []schema.GroupKind{configMapKind})
		if err != nil || !slices.Equal(names(items), []string{"a", "b", "c"}) || s.asked.Load() != 2 {
			t.Fatal(names(items), err)
		}
		if items[2].Kind != "ConfigMap" || items[2].APIVersion != "v1" {
			t.Errorf("the type is %v", items[2].TypeMeta)
		}
	})
}

func TestAListWhosePagesExpireStartsOnceMoreAndThenEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var expired atomic.Int32
		c, _ := timed(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("continue") != "" && expired.Add(-1) >= 0 {
				status(w, http.StatusGone, "Expired", "the provided continue parameter is too old")
				return
			}
			if r.URL.Query().Get("continue") != "" {
				page(w, "", "b")
				return
			}
			page(w, "2", "a")
		})
		expired.Store(1)
		items, err := c.List(t.Context(), "mine", []schema.GroupKind{configMapKind})
		if err != nil || !slices.Equal(names(items), []string{"a", "b"}) {
			t.Error(names(items), err)
		}
		expired.Store(100)
		if _, err = c.List(t.Context(), "mine", []schema.GroupKind{configMapKind}); !fault.Is(err, fault.Unavailable) {
			t.Error(err)
		}
	})
}

func TestAListWithoutAnEndIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := timed(func(w http.ResponseWriter, _ *http.Request) { page(w, "more", "a") })
		_, err := c.List(t.Context(), "mine", []schema.GroupKind{configMapKind})
		if !fault.Is(err, fault.Invalid) || s.asked.Load() != maxPages {
			t.Error(err, s.asked.Load())
		}
	})
}

func TestAListOfOneKindThatFailsFailsTheList(t *testing.T) {
	for name, test := range map[string]struct {
		code int
		want fault.Kind
		skip bool
	}{
		"denied":             {403, fault.Denied, false},
		"unavailable":        {503, fault.Unavailable, false},
		"gone with its kind": {404, 0, true},
		"cannot be listed":   {405, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := timed(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, "/secrets") {
						status(w, test.code, "", "no")
						return
					}
					page(w, "", "a")
				})
				for _, kinds := range [][]schema.GroupKind{nil, {configMapKind, {Kind: "Secret"}}} {
					items, err := c.List(t.Context(), "mine", kinds)
					if test.skip && (err != nil || len(items) == 0) || !test.skip && !fault.Is(err, test.want) {
						t.Errorf("%d items, %v", len(items), err)
					}
				}
			})
		})
	}
}

func TestListsRunSideBySideWithinTheirBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int32
		c, _ := timed(func(w http.ResponseWriter, _ *http.Request) {
			n := running.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			time.Sleep(time.Second)
			running.Add(-1)
			page(w, "", "a")
		})
		kinds := slices.Repeat([]schema.GroupKind{configMapKind}, 3*sideBySide)
		start := time.Now()
		if _, err := c.List(t.Context(), "mine", kinds); err != nil {
			t.Fatal(err)
		}
		if most.Load() != sideBySide || time.Since(start) != 3*time.Second {
			t.Errorf("%d at once, %s", most.Load(), time.Since(start))
		}
	})
}

func TestMetadataIsReadFromProtobufAndJSON(t *testing.T) {
	want := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "u", ResourceVersion: "7", ManagedFields: someEntries}}
	raw, err := want.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := (&runtime.Unknown{Raw: raw}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for kind, body := range map[string][]byte{
		"application/vnd.kubernetes.protobuf":         append([]byte("k8s\x00"), envelope...),
		"application/json;as=PartialObjectMetadata":   []byte(`{"metadata":{"name":"a","uid":"u","resourceVersion":"7","managedFields":[{"manager":"slipway","operation":"Apply"}]}}`),
		"application/vnd.kubernetes.protobuf;x=short": []byte("k8"),
		"application/vnd.kubernetes.protobuf;x=bad":   []byte("k8s\x00\xff\xff"),
		"": nil,
	} {
		t.Run(kind, func(t *testing.T) {
			c, _ := timed(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", kind)
				_, _ = w.Write(body)
			})
			m, err := c.Metadata(t.Context(), aConfigMap)
			if strings.Contains(kind, "x=") || kind == "" {
				if !fault.Is(err, fault.Unavailable) {
					t.Error(err)
				}
				return
			}
			if err != nil || m.UID != "u" || m.ResourceVersion != "7" || len(m.ManagedFields) != 1 || m.Kind != "ConfigMap" {
				t.Error(m, err)
			}
		})
	}
}
