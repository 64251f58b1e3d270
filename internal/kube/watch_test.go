package kube

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// frame is an event as the API server sends it.
func frame(t testing.TB, kind string, object interface{ Marshal() ([]byte, error) }) []byte {
	t.Helper()
	e := metav1.WatchEvent{Type: kind, Object: runtime.RawExtension{Raw: enveloped(t, object)}}
	raw, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(raw))), raw...) //nolint:gosec // short
}

func named(name, version string) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: version}}
}

// watching answers a watch with frames and then holds it until its time is over or, when ends, ends it.
func watching(t *testing.T, ends bool, content string, parts ...[]byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var seconds int
		if _, err := fmt.Sscan(r.URL.Query().Get("timeoutSeconds"), &seconds); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", content)
		for _, p := range parts {
			_, _ = w.Write(p)
		}
		_ = http.NewResponseController(w).Flush()
		if ends {
			return
		}
		select {
		case <-time.After(time.Duration(seconds) * time.Second):
		case <-r.Context().Done():
		}
	}
}

const framed = "application/vnd.kubernetes.protobuf;stream=watch"

// events is what a watch of ConfigMaps since 5, of the given time, was handed.
func events(t *testing.T, c *Cluster, time time.Duration) (got []string, last string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time)
	defer cancel()
	last, err = c.Watch(ctx, configMapKind, "5", func(e manifest.Event) error {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Type, e.Object.Kind, e.Object.Name)))
		return nil
	})
	return got, last, err
}

func TestAWatchAsksForMetadataWithOurLabelUntilASecondBeforeItsEnd(t *testing.T) {
	var query url.Values
	var accept string
	c, _ := fake(t, func(w http.ResponseWriter, r *http.Request) {
		query, accept = r.URL.Query(), r.Header.Get("Accept")
		watching(t, false, framed)(w, r)
	}, token)
	if _, last, err := events(t, c, 2500*time.Millisecond); err != nil || last != "5" {
		t.Error(last, err)
	}
	for k, want := range map[string]string{
		"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": "1", "labelSelector": manifest.Label, "resourceVersion": "5",
	} {
		if query.Get(k) != want {
			t.Errorf("%s is %q", k, query.Get(k))
		}
	}
	if !strings.HasPrefix(accept, "application/vnd.kubernetes.protobuf;stream=watch;as=PartialObjectMetadata;") {
		t.Error(accept)
	}
}

func TestAWatchHandsOverItsEventsAndEndsInOrder(t *testing.T) {
	t.Parallel()
	text := `{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"6"}}}
{"type":"MODIFIED","object":{"metadata":{"name":"a","resourceVersion":"7"}}}
{"type":"DELETED","object":{"metadata":{"name":"a","resourceVersion":"8"}}}
{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}
`
	for content, parts := range map[string][][]byte{
		framed: {
			frame(t, "ADDED", named("a", "6")), frame(t, "MODIFIED", named("a", "7")),
			frame(t, "DELETED", named("a", "8")), frame(t, "BOOKMARK", named("", "9")),
		},
		"application/json": {[]byte(text)},
	} {
		t.Run(content, func(t *testing.T) {
			t.Parallel()
			c, _ := fake(t, watching(t, false, content, parts...), token)
			got, last, err := events(t, c, 5100*time.Millisecond)
			if want := []string{"ADDED ConfigMap a", "MODIFIED ConfigMap a", "DELETED ConfigMap a", "BOOKMARK"}; err != nil || last != "9" || !slices.Equal(got, want) {
				t.Error(got, last, err)
			}
		})
	}
}

func TestAWatchThatItsCallerEndsIsInOrder(t *testing.T) {
	c, _ := fake(t, watching(t, false, framed, frame(t, "ADDED", named("a", "6"))), token)
	ctx, cancel := context.WithCancel(t.Context())
	last, err := c.Watch(ctx, configMapKind, "5", func(manifest.Event) error { cancel(); return nil })
	if err != nil || last != "6" {
		t.Error(last, err)
	}
}

func TestAWatchGoesOnFromWhatWasTaken(t *testing.T) {
	c, _ := fake(t, watching(t, false, framed, frame(t, "ADDED", named("a", "6")), frame(t, "ADDED", named("b", "7"))), token)
	mine := errors.New("not this one")
	last, err := c.Watch(t.Context(), configMapKind, "5", func(e manifest.Event) error {
		if e.Object.Name == "b" {
			return mine
		}
		return nil
	})
	if !errors.Is(err, mine) || last != "6" {
		t.Error(last, err)
	}
}

func TestHowAWatchFails(t *testing.T) {
	gone := &metav1.Status{Code: http.StatusGone, Reason: metav1.StatusReasonExpired, Message: "too old resource version: 5 (9)"}
	a := frame(t, "ADDED", named("a", "6"))
	for name, test := range map[string]struct {
		serve http.HandlerFunc
		want  fault.Kind
		last  string
		says  string
	}{
		"expired at once": {func(w http.ResponseWriter, _ *http.Request) { status(w, 410, "Expired", "too old") },
			fault.Conflict, "5", "watch ConfigMap: too old"},
		"expired as an event":   {watching(t, false, framed, a, frame(t, "ERROR", gone)), fault.Conflict, "6", "too old resource version"},
		"expired in JSON":       {watching(t, false, "application/json", []byte(`{"type":"ERROR","object":{"code":410,"message":"too old"}}`+"\n")), fault.Conflict, "5", "too old"},
		"a fault of the server": {watching(t, false, framed, a, frame(t, "ERROR", &metav1.Status{Code: 500, Message: "etcd"})), fault.Unavailable, "6", "etcd"},
		"denied":                {func(w http.ResponseWriter, _ *http.Request) { status(w, 403, "Forbidden", "no") }, fault.Denied, "5", "no"},
		"gone with its kind":    {func(w http.ResponseWriter, _ *http.Request) { status(w, 404, "NotFound", "no") }, fault.NotFound, "5", "no"},
		"ended early":           {watching(t, true, framed, a), fault.Unavailable, "6", "early"},
		"broken within a frame": {watching(t, true, framed, a, a[:9]), fault.Unavailable, "6", "unexpected EOF"},
		"broken within a head":  {watching(t, true, framed, a, a[:2]), fault.Unavailable, "6", "unexpected EOF"},
		"an endless frame":      {watching(t, false, framed, a, []byte{255, 255, 255, 255}), fault.Unavailable, "6", "bytes"},
		"an endless line":       {watching(t, false, "application/json", slices.Repeat([]byte("a"), maxEvent+1)), fault.Unavailable, "5", "too long"},
		"nonsense":              {watching(t, false, framed, []byte{0, 0, 0, 1, 7}), fault.Unavailable, "5", "decode event"},
		"nonsense in JSON":      {watching(t, false, "application/json", []byte("nonsense\n")), fault.Unavailable, "5", "decode event"},
		"an unknown event":      {watching(t, false, framed, frame(t, "MOVED", named("a", "6"))), fault.Unavailable, "5", `"MOVED"`},
		"no resourceVersion":    {watching(t, false, framed, frame(t, "ADDED", named("a", ""))), fault.Unavailable, "5", "without resourceVersion"},
		"of no known content":   {watching(t, false, "text/html"), fault.Unavailable, "5", "text/html"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
			fault.Invalid, "5", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := fake(t, test.serve, token)
			_, last, err := events(t, c, 30*time.Second)
			if !fault.Is(err, test.want) || last != test.last {
				t.Errorf("%q, %s: %v", last, fault.Of(err), err)
			}
			says(t, err, "watch ConfigMap: ", test.says)
		})
	}
}

func TestAWatchIsAskedForAgainWhileTheServerIsBusy(t *testing.T) {
	var asked atomic.Int32
	c, _ := fake(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) < 3 {
			status(w, 429, "TooManyRequests", "slow down")
			return
		}
		watching(t, false, framed, frame(t, "ADDED", named("a", "6")))(w, r)
	}, token)
	if got, last, err := events(t, c, 3*time.Second); err != nil || len(got) != 1 || last != "6" || asked.Load() != 3 {
		t.Error(got, last, err, asked.Load())
	}
}

func TestAWatchThatCannotBeginAsksNothing(t *testing.T) {
	c, s := fake(t, watching(t, false, framed), token)
	if _, last, err := events(t, c, 1500*time.Millisecond); err != nil || last != "5" { // no second is left
		t.Error(last, err)
	}
	for _, version := range []string{"", "0"} {
		if _, err := c.Watch(t.Context(), configMapKind, version, nil); !fault.Is(err, fault.Internal) {
			t.Errorf("since %q: %v", version, err)
		}
	}
	if _, err := c.Watch(t.Context(), schema.GroupKind{Group: "example.com", Kind: "Gone"}, "5", nil); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	if s.asked.Load() != 0 {
		t.Errorf("%d requests", s.asked.Load())
	}
}
