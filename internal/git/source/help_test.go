package source

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"slipway/internal/revision"
	"slipway/internal/secret"
)

const (
	repoR = revision.Repository("github.com/myorg/k8s-config")
	shaA  = revision.SHA("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	shaB  = revision.SHA("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
	token = "ghs_TOPSECRET0123456789"
)

// fake is a git host that answers as told and remembers what it was asked.
type fake struct {
	*httptest.Server
	mu   sync.Mutex
	seen []*http.Request
}

func fakeHost(t *testing.T, serve http.HandlerFunc) *fake {
	t.Helper()
	f := &fake{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.seen = append(f.seen, r.Clone(context.WithoutCancel(r.Context())))
		f.mu.Unlock()
		serve(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fake) requests() []*http.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen
}

func (f *fake) addr() string { return f.Listener.Addr().String() }

// client reads from the fake as github.com, with a token.
func (f *fake) client(t *testing.T, change ...func(*Host)) *GitHub {
	t.Helper()
	h := Host{Name: "github.com", API: f.URL + "/api/v3", Plain: true, Private: true, Token: static(token)}
	for _, c := range change {
		c(&h)
	}
	g, err := New(h)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func static(s string) Token {
	return func(context.Context) (secret.Value, error) { return secret.Of(s), nil }
}
