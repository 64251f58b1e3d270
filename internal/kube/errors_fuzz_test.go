package kube

import (
	"net/http"
	"strings"
	"testing"
)

func FuzzRefusal(f *testing.F) {
	f.Add(409, []byte(`{"kind":"Status","reason":"Conflict","message":"a\nb","details":{"causes":[{"field":"metadata.uid"}],"retryAfterSeconds":-1}}`))
	f.Add(500, []byte("<html>"))
	f.Add(403, []byte(`{"kind":"Status","details":null}`))
	f.Add(429, []byte("\xff\x1b[2J"))
	f.Fuzz(func(t *testing.T, code int, body []byte) {
		err := request{verb: "apply", what: "x", method: http.MethodPatch}.sort(refusal(code, 0, body))
		if err == nil || strings.ContainsAny(err.Error(), "\n\x1b\x00") || len(err.Error()) > 2200 {
			t.Errorf("%q", err)
		}
	})
}
