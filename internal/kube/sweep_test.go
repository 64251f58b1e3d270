package kube

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

var (
	secretKind     = schema.GroupKind{Kind: "Secret"}
	deploymentKind = schema.GroupKind{Group: "apps", Kind: "Deployment"}
)

// swept collects what a sweep hands over.
type swept struct {
	mu    sync.Mutex
	names map[schema.GroupKind][]string
}

func (s *swept) page(gk schema.GroupKind, version string, items []metav1.PartialObjectMetadata) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names == nil {
		s.names = map[schema.GroupKind][]string{}
	}
	for _, m := range items {
		s.names[gk] = append(s.names[gk], m.Kind+" "+m.Name+"@"+version)
	}
	return nil
}

// metadataPage answers a page of metadata in protobuf, as the API server does.
func metadataPage(t *testing.T, w http.ResponseWriter, version, next string, names ...string) {
	t.Helper()
	list := metav1.PartialObjectMetadataList{ListMeta: metav1.ListMeta{ResourceVersion: version, Continue: next}}
	for _, n := range names {
		list.Items = append(list.Items, metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: n, Namespace: "n"}})
	}
	w.Header().Set("Content-Type", runtime.ContentTypeProtobuf)
	_, _ = w.Write(enveloped(t, &list))
}

func enveloped(t testing.TB, message interface{ Marshal() ([]byte, error) }) []byte {
	t.Helper()
	raw, err := message.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := (&runtime.Unknown{Raw: raw}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte("k8s\x00"), envelope...)
}

func TestASweepHandsOverEveryPageOfEachKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := timed(func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			if q.Get("labelSelector") != manifest.Label || q.Get("limit") != fmt.Sprint(sweepSize) || q.Has("timeout") || q.Has("resourceVersion") {
				t.Errorf("query is %v", q)
			}
			if !strings.HasPrefix(r.Header.Get("Accept"), "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;") || r.Header.Get("Accept-Encoding") != "gzip" {
				t.Errorf("header is %v", r.Header)
			}
			switch {
			case strings.HasSuffix(r.URL.Path, "/deployments"):
				metadataPage(t, w, "9", "", "d")
			case q.Get("continue") == "":
				metadataPage(t, w, "7", "2", "a", "b")
			default:
				metadataPage(t, w, "7", "", "c")
			}
		})
		var got swept
		result, err := c.Sweep(t.Context(), []schema.GroupKind{configMapKind, deploymentKind}, got.page)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(map[schema.GroupKind][]string{
			configMapKind: {"ConfigMap a@7", "ConfigMap b@7", "ConfigMap c@7"}, deploymentKind: {"Deployment d@9"},
		}, got.names); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(map[schema.GroupKind]string{configMapKind: "7", deploymentKind: "9"}, result.Whole); d != "" {
			t.Error(d)
		}
		if result.Requests != 3 || s.asked.Load() != 3 || result.Objects != 4 || result.Bytes < 100 || len(result.Failed) != 0 {
			t.Errorf("%+v", result)
		}
	})
}

// A partial list must never count as the whole: what it lacks is not missing.
func TestASweepTellsTheWholeFromThePart(t *testing.T) {
	for name, test := range map[string]struct {
		code    int
		want    fault.Kind
		skip    bool
		tries   int
		message string
	}{
		"denied":              {403, fault.Denied, false, 1, "no"},
		"unavailable":         {503, fault.Unavailable, false, maxTries, "no"},
		"throttled":           {429, fault.Unavailable, false, maxTries, "no"},
		"gone with its kind":  {404, 0, true, 1, "the server could not find the requested resource"},
		"cannot be listed":    {405, 0, true, 1, "no"},
		"expired for ever":    {410, fault.Unavailable, false, 1, "the provided continue parameter is too old"},
		"the server is wrong": {400, fault.Invalid, false, 1, "no"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := timed(func(w http.ResponseWriter, r *http.Request) {
					switch {
					case !strings.HasSuffix(r.URL.Path, "/secrets"):
						metadataPage(t, w, "7", "", "a")
					case r.URL.Query().Get("continue") == "":
						metadataPage(t, w, "7", "2", "first")
					default:
						status(w, test.code, "", test.message)
					}
				})
				var got swept
				result, err := c.Sweep(t.Context(), []schema.GroupKind{secretKind, configMapKind}, got.page)
				if result.Whole[configMapKind] != "7" || !slices.Equal(got.names[configMapKind], []string{"ConfigMap a@7"}) {
					t.Errorf("the other kind is %q, %v", result.Whole[configMapKind], got.names)
				}
				version, whole := result.Whole[secretKind]
				if test.skip {
					if err != nil || !whole || version != "" {
						t.Errorf("%q, %v, %v", version, whole, err)
					}
					return
				}
				if whole || !fault.Is(err, test.want) || !fault.Is(result.Failed[secretKind], test.want) || len(result.Failed) != 1 {
					t.Errorf("whole %v, failed %v, error %v", whole, result.Failed, err)
				}
			})
		})
	}
}

func TestASweepOfManyFailuresSaysTheFirstKindOfThemAndAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := timed(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "60")
			status(w, 429, "", "slow down")
		})
		_, err := c.Sweep(t.Context(), []schema.GroupKind{configMapKind, secretKind}, nil)
		if after, _ := fault.After(err); !fault.Is(err, fault.Unavailable) || after != time.Minute {
			t.Errorf("%v, after %s", err, after)
		}
		says(t, err, "sweep ConfigMap: ", "sweep Secret: ")
	})
}

func TestASweepWhosePagesExpireStartsOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first, second atomic.Int32
		c, _ := timed(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("continue") == "" {
				metadataPage(t, w, fmt.Sprint(6+first.Add(1)), "2", "a")
				return
			}
			if second.Add(1) == 1 {
				status(w, http.StatusGone, "Expired", "the provided continue parameter is too old")
				return
			}
			metadataPage(t, w, "8", "", "b")
		})
		var got swept
		result, err := c.Sweep(t.Context(), []schema.GroupKind{configMapKind}, got.page)
		if want := []string{"ConfigMap a@7", "ConfigMap a@8", "ConfigMap b@8"}; err != nil || !slices.Equal(got.names[configMapKind], want) {
			t.Error(got.names, err)
		}
		if result.Whole[configMapKind] != "8" {
			t.Errorf("%+v", result)
		}
	})
}

func TestAnErrorOfTheCallerEndsTheSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := timed(func(w http.ResponseWriter, _ *http.Request) { metadataPage(t, w, "7", "more", "a") })
		mine := errors.New("enough")
		result, err := c.Sweep(t.Context(), slices.Repeat([]schema.GroupKind{configMapKind}, 3*sideBySide),
			func(schema.GroupKind, string, []metav1.PartialObjectMetadata) error { return mine })
		if !errors.Is(err, mine) || len(result.Whole) != 0 || s.asked.Load() > sideBySide {
			t.Errorf("%v, %+v after %d requests", err, result, s.asked.Load())
		}
	})
}

func TestASweepEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := timed(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		if err := c.warm(t); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		result, err := c.Sweep(ctx, []schema.GroupKind{configMapKind, secretKind}, nil)
		if !fault.Is(err, fault.Unavailable) || len(result.Whole) != 0 || time.Since(start) != 5*time.Second {
			t.Errorf("%v, %+v in %s", err, result, time.Since(start))
		}
	})
}

func (c *Cluster) warm(t *testing.T) error {
	t.Helper()
	_, err := c.discover(t.Context(), time.Minute)
	return err
}

func TestASweepOfAllKindsTakesThoseThatCanBeListedAndChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := timed(func(w http.ResponseWriter, _ *http.Request) { metadataPage(t, w, "7", "", "a") })
		result, err := c.Sweep(t.Context(), nil, new(swept).page)
		var kinds []string
		for gk := range maps.Keys(result.Whole) {
			kinds = append(kinds, gk.String())
		}
		slices.Sort(kinds)
		if want := []string{"ConfigMap", "Deployment.apps", "Namespace", "Secret"}; err != nil || !slices.Equal(kinds, want) {
			t.Error(kinds, err)
		}
	})
}

func TestASweepOfUnknownKindsIsWholeAndOfAStaleGroupIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := timed(func(w http.ResponseWriter, _ *http.Request) { metadataPage(t, w, "7", "", "a") })
		unknownKind, stale := schema.GroupKind{Group: "example.com", Kind: "Gone"}, schema.GroupKind{Group: "custom.metrics.k8s.io", Kind: "Metric"}
		result, err := c.Sweep(t.Context(), []schema.GroupKind{unknownKind, stale}, new(swept).page)
		if !fault.Is(err, fault.Unavailable) || result.Failed[stale] == nil {
			t.Error(result.Failed, err)
		}
		if version, whole := result.Whole[unknownKind]; !whole || version != "" || len(result.Whole) != 1 {
			t.Errorf("%+v", result.Whole)
		}
	})
}

func TestSweepsAreCompressedOnANetworkOnly(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1": "identity", "::1": "identity", "localhost": "identity",
		"10.0.0.1": "gzip", "abc.eks.amazonaws.com": "gzip", "127.0.0.1.example.com": "gzip", "": "gzip",
	} {
		if got := coding(host); got != want {
			t.Errorf("%q: %s", host, got)
		}
	}
}

func TestACompressedAnswerIsReadAndCountedAsItTravelled(t *testing.T) {
	zip := func(w http.ResponseWriter, text io.Reader) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "application/json")
		z := gzip.NewWriter(w)
		_, _ = io.Copy(z, text)
		_ = z.Close()
	}
	for name, test := range map[string]struct {
		serve http.HandlerFunc
		says  string
	}{
		"a page": {func(w http.ResponseWriter, _ *http.Request) {
			zip(w, strings.NewReader(`{"metadata":{"resourceVersion":"7"},"items":[]}`+strings.Repeat(" ", 1<<20)))
		}, ""},
		"a bomb": {func(w http.ResponseWriter, _ *http.Request) {
			zip(w, io.LimitReader(zeros{}, maxAnswer+2))
		}, "longer than"},
		"nonsense": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte("nonsense"))
		}, "decompress"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := timed(test.serve)
				result, err := c.Sweep(t.Context(), []schema.GroupKind{configMapKind}, new(swept).page)
				if test.says != "" {
					says(t, err, test.says)
					return
				}
				if err != nil || result.Bytes == 0 || result.Bytes > 10<<10 {
					t.Errorf("%d bytes, %v", result.Bytes, err)
				}
			})
		})
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestARepetitionCountsAsARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		c, _ := timed(func(w http.ResponseWriter, _ *http.Request) {
			if asked.Add(1) < 3 {
				status(w, 429, "", "slow down")
				return
			}
			metadataPage(t, w, "7", "", "a")
		})
		result, err := c.Sweep(t.Context(), []schema.GroupKind{configMapKind}, new(swept).page)
		if err != nil || result.Requests != 3 {
			t.Errorf("%+v, %v", result, err)
		}
	})
}

// The items of a page are those of the one before: nothing of them may be left in it.
func TestAPageHasNothingOfTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := timed(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if r.URL.Query().Get("continue") == "" {
				_, _ = w.Write([]byte(`{"metadata":{"continue":"2"},"items":[{"metadata":{"name":"a","uid":"u","generation":3,"labels":{"a":"b"},"managedFields":[{"manager":"m"}]}}]}`))
				return
			}
			_, _ = w.Write([]byte(`{"metadata":{},"items":[{"metadata":{"name":"b"}}]}`))
		})
		var last metav1.PartialObjectMetadata
		_, err := c.Sweep(t.Context(), []schema.GroupKind{configMapKind}, func(_ schema.GroupKind, _ string, items []metav1.PartialObjectMetadata) error {
			items[0].DeepCopyInto(&last)
			return nil
		})
		want := metav1.PartialObjectMetadata{TypeMeta: typeOf(configMapKind, "v1"), ObjectMeta: metav1.ObjectMeta{Name: "b"}}
		if d := cmp.Diff(want, last); err != nil || d != "" {
			t.Error(err, d)
		}
	})
}
