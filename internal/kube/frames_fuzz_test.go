package kube

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Whatever comes, a watch ends and takes nothing for an event that is none.
func FuzzFrames(f *testing.F) {
	a := frame(f, "ADDED", named("a", "6"))
	f.Add(a, true)
	f.Add(append(bytes.Clone(a), frame(f, "ERROR", &metav1.Status{Code: 410})...), true)
	f.Add(a[:7], true)
	f.Add([]byte{255, 255, 255, 255}, true)
	f.Add([]byte(`{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"6"}}}`+"\n{}"), false)
	f.Add([]byte(`{"type":"ERROR","object":{"code":410}}`), false)
	f.Add([]byte(strings.Repeat("[", 1000)), false)
	f.Fuzz(func(t *testing.T, body []byte, protobuf bool) {
		content := "application/json"
		if protobuf {
			content = framed
		}
		from, err := framesOf(&http.Response{Header: http.Header{"Content-Type": {content}}, Body: io.NopCloser(bytes.NewReader(body))})
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; ; n++ {
			o, err := from.next()
			if err != nil {
				return
			}
			if o.refused == nil && o.Type == "" {
				t.Fatal("an event of no type")
			}
			if n > len(body) {
				t.Fatalf("%d events of %d bytes", n, len(body))
			}
		}
	})
}
