package githost_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"slipway/internal/local/githost"
)

func TestAWebhookIsPostedAgainUntilItIsTaken(t *testing.T) {
	var tries atomic.Int32
	taken := make(chan []byte, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if tries.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		taken <- body
	}))
	t.Cleanup(hook.Close)
	url, _, _ := serve(t, githost.Options{WebhookURL: hook.URL})
	w := clone(t, url+"/git/o/r.git")
	w.commit(map[string]string{"a": "1"})
	w.git("push", "--quiet", "origin", "main")
	if body := <-taken; len(body) == 0 || tries.Load() != 3 {
		t.Errorf("%d bytes after %d tries", len(body), tries.Load())
	}
}

func TestARefusedWebhookIsNotPostedAgain(t *testing.T) {
	var tries atomic.Int32
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		tries.Add(1)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(hook.Close)
	var h *githost.Host
	seen := make(chan githost.Delivery, 10)
	url, _, h := serve(t, githost.Options{WebhookURL: hook.URL, Deliver: func(ctx context.Context, d githost.Delivery) error {
		if d.Header.Get("X-GitHub-Event") == "ping" {
			seen <- d
			return nil
		}
		return h.Post(ctx, d)
	}})
	w := clone(t, url+"/git/o/r.git")
	w.commit(map[string]string{"a": "1"})
	w.git("push", "--quiet", "origin", "main")
	ping(t, url+"/api/v3/repos/o/r/hooks/1/pings")
	next(t, seen) // comes after the push, in order
	if tries.Load() != 1 {
		t.Errorf("posted %d times", tries.Load())
	}
}

func TestAWebhookIsGivenUpAfterABoundedNumberOfTries(t *testing.T) {
	var tries atomic.Int32
	seen := make(chan githost.Delivery, 10)
	url, _, _ := serve(t, githost.Options{Deliver: func(_ context.Context, d githost.Delivery) error {
		if d.Header.Get("X-GitHub-Event") == "ping" {
			seen <- d
			return nil
		}
		tries.Add(1)
		return errors.New("away")
	}})
	w := clone(t, url+"/git/o/r.git")
	w.commit(map[string]string{"a": "1"})
	w.git("push", "--quiet", "origin", "main")
	ping(t, url+"/api/v3/repos/o/r/hooks/1/pings")
	next(t, seen)
	if tries.Load() != 5 {
		t.Errorf("tried %d times", tries.Load())
	}
}

func ping(t *testing.T, url string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Errorf("ping answered %d", resp.StatusCode)
	}
}
