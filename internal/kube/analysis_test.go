package kube

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"slipway/internal/fault"
)

func TestOneValueOfASecretIsReadAndNothingElseIsShown(t *testing.T) {
	body := `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","namespace":"n"},"data":{"token":"czNjcmV0","bad":"!czNjcmV0","empty":""}}`
	c, _ := fake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/namespaces/n/secrets/a" {
			status(w, 404, "NotFound", "not found")
			return
		}
		_, _ = io.WriteString(w, body)
	}, token)
	for name, test := range map[string]struct {
		secret, key, want string
		fails             fault.Kind
	}{
		"a value":      {"a", "token", "s3cret", 0},
		"an empty one": {"a", "empty", "", 0},
		"no such key":  {"a", "none", "", fault.NotFound},
		"no such one":  {"b", "token", "", fault.NotFound},
		"not base64":   {"a", "bad", "", fault.Invalid},
		"no name":      {"", "token", "", fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := c.Secret(t.Context(), "n", test.secret, test.key)
			if string(v.Reveal()) != test.want || (err == nil) != (test.fails == 0) || err != nil && !fault.Is(err, test.fails) {
				t.Errorf("%q, %v", v.Reveal(), err)
			}
			if err != nil && strings.Contains(err.Error(), "czNjcmV0") {
				t.Error(err)
			}
		})
	}
}

func TestTheProxysURLIsTheCallersOwn(t *testing.T) {
	c, _ := fake(t, echo, token)
	u, _ := c.Proxy()
	u.Host = "elsewhere"
	if again, _ := c.Proxy(); again.Host == "elsewhere" || c.base.Host == "elsewhere" {
		t.Error("the connection's own URL was changed")
	}
}
