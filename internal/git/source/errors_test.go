package source

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"slipway/internal/fault"
)

func TestEachAnswerHasItsKind(t *testing.T) {
	soon := func() string { return fmt.Sprint(time.Now().Add(10 * time.Minute).Unix()) }
	for name, c := range map[string]struct {
		code   int
		header map[string]string
		body   string
		kind   fault.Kind
		after  time.Duration // about; 0: the error names no time
	}{
		"not found":                {404, nil, `{"message":"Not Found"}`, fault.NotFound, 0},
		"no such commit":           {422, nil, `{"message":"No commit found for SHA: x"}`, fault.NotFound, 0},
		"empty repository":         {409, nil, `{"message":"Git Repository is empty."}`, fault.NotFound, 0},
		"bad credentials":          {401, nil, `{"message":"Bad credentials"}`, fault.Denied, 0},
		"two factors":              {401, map[string]string{"X-GitHub-OTP": "required; app"}, `{}`, fault.Denied, 0},
		"forbidden":                {403, nil, `{"message":"Resource not accessible by integration"}`, fault.Denied, 0},
		"blocked by law":           {451, nil, `{"message":"Repository access blocked"}`, fault.Denied, 0},
		"primary limit":            {403, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Limit": "60", "X-RateLimit-Reset": soon()}, `{"message":"API rate limit exceeded"}`, fault.Unavailable, 10 * time.Minute},
		"primary limit as 429":     {429, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": soon()}, `{}`, fault.Unavailable, 10 * time.Minute},
		"secondary limit":          {403, map[string]string{"Retry-After": "30"}, `{"message":"You have exceeded a secondary rate limit","documentation_url":"https://docs.github.com/#secondary-rate-limits"}`, fault.Unavailable, 30 * time.Second},
		"secondary limit, no time": {403, nil, `{"message":"slow down","documentation_url":"https://docs.github.com/#abuse-rate-limits"}`, fault.Unavailable, time.Minute},
		"429 with a time":          {429, map[string]string{"Retry-After": "7"}, ``, fault.Unavailable, 7 * time.Second},
		"429 without":              {429, nil, `<html>`, fault.Unavailable, time.Minute},
		"a time in the far future": {429, map[string]string{"Retry-After": "999999"}, ``, fault.Unavailable, time.Hour},
		"a reset in the past":      {429, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, ``, fault.Unavailable, time.Minute},
		"bad gateway":              {502, nil, `<html>`, fault.Unavailable, 0},
		"unavailable with a time":  {503, map[string]string{"Retry-After": "20"}, ``, fault.Unavailable, 20 * time.Second},
		"accepted, come back":      {202, nil, `{}`, fault.Unavailable, 0},
		"not a commit id":          {200, nil, `main`, fault.Unavailable, 0},
		"an error page with 200":   {200, nil, `<html>` + strings.Repeat("x", 500), fault.Unavailable, 0},
		"teapot":                   {418, nil, ``, fault.Internal, 0},
		"our token said back":      {403, nil, `{"message":"token ` + token + ` is not allowed"}`, fault.Denied, 0},
	} {
		t.Run(name, func(t *testing.T) {
			api := fakeHost(t, func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range c.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(c.code)
				_, _ = io.WriteString(w, c.body)
			})
			_, err := api.client(t).Tip(t.Context(), repoR, "HEAD")
			if !fault.Is(err, c.kind) {
				t.Errorf("%v is %s, want %s", err, fault.Of(err), c.kind)
			}
			after, _ := fault.After(err)
			if d := after - c.after; d > 3*time.Second || d < -3*time.Second {
				t.Errorf("%v: come back after %s, want %s", err, after, c.after)
			}
			if s := fmt.Sprint(err); strings.Contains(s, token) || strings.Contains(s, "http://") || !strings.Contains(s, "github.com/myorg/k8s-config") {
				t.Errorf("error text: %s", s)
			}
		})
	}
}

func TestAReachedLimitCostsNoFurtherRequests(t *testing.T) { // faults 35
	api := fakeHost(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Limit", "5000")
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", fmt.Sprint(time.Now().Add(time.Hour/2).Unix()))
		w.WriteHeader(http.StatusForbidden)
	})
	g := api.client(t)
	for range 5 {
		if _, err := g.Tip(t.Context(), repoR, "main"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("error: %v", err)
		}
	}
	if n := len(api.requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestAHostThatIsDownIsUnavailable(t *testing.T) {
	api := fakeHost(t, nil)
	g := api.client(t)
	api.Close()
	if _, err := g.Tip(t.Context(), repoR, "main"); !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "http://") {
		t.Errorf("error: %v", err)
	}
	api = fakeHost(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if _, err := api.client(t).Compare(t.Context(), repoR, shaA, shaB); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a connection that breaks: %v", err)
	}
}
