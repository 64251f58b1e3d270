package source

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"slipway/internal/fault"
	"slipway/internal/secret"
)

// TestARedirectDropsTheCredentialOnAnotherHost holds security S6: CVE-2026-41506 sent it along.
func TestARedirectDropsTheCredentialOnAnotherHost(t *testing.T) {
	files := fakeHost(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "archive") })
	api := fakeHost(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/repositories/") {
			http.Redirect(w, r, files.URL+"/legacy.tar.gz?token=SIGNED", http.StatusFound)
			return
		}
		http.Redirect(w, r, "/api/v3/repositories/1/tarball/"+string(shaA), http.StatusMovedPermanently) // a renamed repository
	})
	g := api.client(t, func(h *Host) { h.Redirects = []string{files.addr()} })
	body, err := g.Archive(t.Context(), repoR, shaA)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(body)
	if err != nil || string(data) != "archive" || body.Close() != nil {
		t.Errorf("archive %q, %v", data, err)
	}
	for _, r := range api.requests() {
		if got := r.Header.Get("Authorization"); got != "Bearer "+token {
			t.Errorf("the API's own host got %q", got)
		}
	}
	for _, r := range files.requests() {
		if r.Header.Get("Authorization") != "" || r.Header.Get("Referer") != "" || r.Header.Get("Cookie") != "" {
			t.Errorf("the other host got %v", r.Header)
		}
	}
	if len(api.requests()) != 2 || len(files.requests()) != 1 {
		t.Errorf("%d and %d requests", len(api.requests()), len(files.requests()))
	}
}

func TestARedirectElsewhereIsRefusedAndItsURLNotShown(t *testing.T) {
	other := fakeHost(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") })
	for name, location := range map[string]string{
		"a host that is not configured": "https://evil.example.com/x?token=SIGNED",
		"another port":                  other.URL + "/x?token=SIGNED",
		"the credentials of a cloud":    "http://169.254.169.254/latest/meta-data/?SIGNED",
		"a file":                        "file:///proc/self/environ?SIGNED",
		"not a URL":                     "https://[SIGNED",
		"a control character":           "https://codeload.github.com/%zzSIGNED",
		"a user":                        "USER",
	} {
		t.Run(name, func(t *testing.T) {
			api := fakeHost(t, func(w http.ResponseWriter, r *http.Request) {
				if location == "USER" {
					location = "http://SIGNED:SIGNED@" + r.Host + "/x"
				}
				w.Header().Set("Location", location)
				w.WriteHeader(http.StatusFound)
			})
			_, err := api.client(t).Archive(t.Context(), repoR, shaA)
			if err == nil || strings.Contains(err.Error(), "SIGNED") || strings.Contains(err.Error(), token) {
				t.Errorf("error: %v", err)
			}
			if len(api.requests()) != 1 {
				t.Errorf("%d requests", len(api.requests()))
			}
		})
	}
	if len(other.requests()) != 0 {
		t.Error("the other host was asked")
	}
}

func TestAtMostThreeRedirectsAreFollowed(t *testing.T) {
	api := fakeHost(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) })
	if _, err := api.client(t).Archive(t.Context(), repoR, shaA); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "more than 3 times") {
		t.Errorf("error: %v", err)
	}
	if n := len(api.requests()); n != 4 {
		t.Errorf("%d requests", n)
	}
}

func TestHTTPSIsNeverLeftForHTTP(t *testing.T) {
	tr := &transport{host: GitHubCom(nil), api: parse(t, "https://api.github.com/")}
	for u, ok := range map[string]bool{
		"https://api.github.com/x": true, "https://API.github.com:443/x": true, "https://codeload.github.com/x?token=y": true,
		"http://api.github.com/x": false, "http://codeload.github.com/x": false, "https://codeload.github.com:8443/x": false,
		"https://u@codeload.github.com/x": false, "https://codeload.github.com.evil.example/x": false, "//codeload.github.com/x": false,
	} {
		if err := tr.allowed(parse(t, u)); (err == nil) != ok {
			t.Errorf("%s: %v", u, err)
		}
	}
}

func parse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestAnExpiredTokenIsReplacedOnce(t *testing.T) { // faults 34
	api := fakeHost(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer new" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, string(shaA))
	})
	var asked atomic.Int32
	g := api.client(t, func(h *Host) {
		h.Token = func(context.Context) (secret.Value, error) {
			if asked.Add(1) == 1 {
				return secret.Of("old"), nil
			}
			return secret.Of("new"), nil
		}
	})
	if sha, err := g.Tip(t.Context(), repoR, "main"); err != nil || sha != shaA {
		t.Errorf("%s, %v", sha, err)
	}
	revoked := api.client(t)
	before := len(api.requests())
	if _, err := revoked.Tip(t.Context(), repoR, "main"); !fault.Is(err, fault.Denied) || strings.Contains(err.Error(), token) {
		t.Errorf("a revoked token: %v", err)
	}
	if n := len(api.requests()) - before; n != 1 {
		t.Errorf("%d requests with a revoked token", n)
	}
}

func TestATokenThatCannotBeHadKeepsItsKind(t *testing.T) {
	api := fakeHost(t, nil)
	g := api.client(t, func(h *Host) {
		h.Token = func(context.Context) (secret.Value, error) {
			return secret.Value{}, fault.New(fault.Denied, "no such secret")
		}
	})
	if _, err := g.Tip(t.Context(), repoR, "main"); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "no such secret") {
		t.Errorf("error: %v", err)
	}
}

func TestHalfAnAnswerIsNeverTakenForAWholeOne(t *testing.T) {
	cut := fakeHost(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, "half")
	})
	body, err := cut.client(t).Archive(t.Context(), repoR, shaA)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(body); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "fetch archive of github.com/myorg/k8s-config at aaaaaaa") {
		t.Errorf("a cut archive: %v", err)
	}
	_ = body.Close()
	c := &capped{body: io.NopCloser(strings.NewReader("0123456789")), left: 9, limit: 9}
	if data, err := io.ReadAll(c); string(data) != "012345678" || !fault.Is(err, fault.Unavailable) {
		t.Errorf("one byte too many: %q, %v", data, err)
	}
	c = &capped{body: io.NopCloser(strings.NewReader("0123456789")), left: 10, limit: 10}
	if data, err := io.ReadAll(c); string(data) != "0123456789" || err != nil {
		t.Errorf("just enough: %q, %v", data, err)
	}
	endless := fakeHost(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status":"`)
		for range answerCap/1024 + 10 {
			_, _ = io.WriteString(w, strings.Repeat("x", 1024))
		}
	})
	if _, err := endless.client(t).Compare(t.Context(), repoR, shaA, shaB); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("an endless answer: %v", err)
	}
}

func TestAHostThatDoesNotAnswerIsLeftAtTheDeadline(t *testing.T) {
	stop := make(chan struct{})
	api := fakeHost(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(stop) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := api.client(t).Tip(ctx, repoR, "main"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("error: %v", err)
	}
}
