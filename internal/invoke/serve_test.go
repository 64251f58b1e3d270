package invoke

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"slipway/internal/git/hook"
)

func post(t *testing.T, w web, path string, header map[string]string, body io.Reader) (int, string) {
	t.Helper()
	srv := httptest.NewServer(w)
	defer srv.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	a, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close() //nolint:errcheck // read to its end
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(text)
}

func TestAServerAnswersAsAPIGatewayWould(t *testing.T) {
	for name, c := range map[string]struct {
		path, body string
		code       int
	}{
		"a push":          {GitHubRoute, load[string](t, "github/push.json"), 202},
		"not UTF-8":       {GitHubRoute, "\xff\xfe", 400},
		"another route":   {"/", load[string](t, "github/push.json"), 401},
		"too large":       {GitHubRoute, strings.Repeat(" ", hook.DefaultMaxBody+1), 413},
		"at the size cap": {GitHubRoute, load[string](t, "github/push.json") + strings.Repeat(" ", hook.DefaultMaxBody-len(load[string](t, "github/push.json"))), 202},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWeb(t, 0)
			e := signed("push", c.body)
			code, text := post(t, w, c.path, e.Headers, strings.NewReader(c.body))
			if code != c.code || (w.queue.Len() == 1) != (code == 202) {
				t.Errorf("answer %d %s, %d messages, want %d", code, text, w.queue.Len(), c.code)
			}
			if l := w.line(t); l["from"] != "127.0.0.1" {
				t.Errorf("log %v", l)
			}
		})
	}
}

// endless counts what is read of a body that never ends.
type endless struct{ n int }

func (e *endless) Read(b []byte) (int, error) { e.n += len(b); return len(b), nil }

func TestABodyIsReadUpToTheCapOnly(t *testing.T) { // security W5, CVE-2024-40634
	w := newWeb(t, 0)
	body := &endless{}
	r := httptest.NewRequest(http.MethodPost, GitHubRoute, body)
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	if rec.Code != 413 || body.n > hook.DefaultMaxBody+64<<10 {
		t.Errorf("answer %d after %d bytes", rec.Code, body.n)
	}
}

func TestASenderThatLeavesQueuesNothing(t *testing.T) {
	w := newWeb(t, 0)
	r := httptest.NewRequest(http.MethodPost, GitHubRoute, io.MultiReader(bytes.NewReader([]byte("{")), broken{}))
	w.ServeHTTP(httptest.NewRecorder(), r)
	if w.queue.Len() != 0 {
		t.Errorf("%d messages", w.queue.Len())
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
