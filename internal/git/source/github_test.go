package source

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/fault"
	"slipway/internal/revision"
)

func TestATipIsAskedForByItsFullName(t *testing.T) {
	for ref, want := range map[string][]string{
		"":                {"commits/HEAD"},
		"HEAD":            {"commits/HEAD"},
		"main":            {"commits/heads/main", "commits/tags/main"},
		"feature/a#b%2Fc": {"commits/heads/feature/a%23b%252Fc", "commits/tags/feature/a%23b%252Fc"},
		"refs/heads/main": {"commits/heads/main"},
		"refs/tags/v1":    {"commits/tags/v1"},
		"heads/main":      {"commits/heads/heads/main", "commits/tags/heads/main"},
		string(shaA):      {"commits/HEAD"},
	} {
		api := fakeHost(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
		if _, err := api.client(t).Tip(t.Context(), repoR, ref); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q: %v", ref, err)
		}
		var got []string
		for _, r := range api.requests() {
			got = append(got, strings.TrimPrefix(r.URL.EscapedPath(), "/api/v3/repos/myorg/k8s-config/"))
			if r.Header.Get("Accept") != "application/vnd.github.sha" {
				t.Errorf("%q accepts %s", ref, r.Header.Get("Accept"))
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q (-want +got)\n%s", ref, d)
		}
	}
}

// TestATipIsWhatTheHostSaysNow: a host may be behind its own webhook (rancher/fleet #4845), so nothing is remembered.
func TestATipIsWhatTheHostSaysNow(t *testing.T) {
	answers := []revision.SHA{shaA, shaA, shaB}
	n := 0
	api := fakeHost(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"`+string(answers[n])+`"`)
		w.Header().Set("Cache-Control", "private, max-age=60")
		if r.Header.Get("If-None-Match") != "" {
			t.Error("a tip was asked for conditionally")
		}
		_, _ = io.WriteString(w, string(answers[n]))
		n++
	})
	g := api.client(t)
	for _, want := range answers {
		if got, err := g.Tip(t.Context(), repoR, "main"); err != nil || got != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
}

// TestACommitOfAForkIsNotAPin holds security W10: a host hands out a fork's commits through the parent repository.
func TestACommitOfAForkIsNotAPin(t *testing.T) {
	for status, kind := range map[string]fault.Kind{"behind": 0, "identical": 0, "ahead": fault.Invalid, "diverged": fault.Invalid, "": fault.Unavailable} {
		api := fakeHost(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/compare/") {
				if !strings.HasSuffix(r.URL.Path, string(shaB)+"..."+string(shaA)) {
					t.Errorf("compared %s", r.URL.Path)
				}
				_, _ = io.WriteString(w, `{"status":"`+status+`"}`)
				return
			}
			_, _ = io.WriteString(w, string(shaB))
		})
		got, err := api.client(t).Tip(t.Context(), repoR, string(shaA))
		if kind == 0 && (err != nil || got != shaA) || kind != 0 && !fault.Is(err, kind) {
			t.Errorf("%q: %s, %v", status, got, err)
		}
	}
}

func TestAnUnchangedTagCostsOneAnswerWithoutABody(t *testing.T) {
	api := fakeHost(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `W/"abc"`)
		if r.Header.Get("If-None-Match") == `W/"abc"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = io.WriteString(w, string(shaA))
	})
	g := api.client(t)
	_, etag, changed, err := g.Changed(t.Context(), repoR, "main", "")
	if err != nil || !changed || etag != `W/"abc"` {
		t.Fatal(etag, changed, err)
	}
	if sha, again, changed, err := g.Changed(t.Context(), repoR, "main", etag); sha != "" || again != etag || changed || err != nil {
		t.Error(sha, again, changed, err)
	}
}

func TestAComparisonAsksForNoFiles(t *testing.T) {
	api := fakeHost(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"status":"ahead"}`) })
	rel, err := api.client(t).Compare(t.Context(), repoR, shaA, shaB)
	if err != nil || rel != revision.Ahead {
		t.Errorf("%s, %v", rel, err)
	}
	if q := api.requests()[0].URL.RawQuery; q != "per_page=1&page=2" {
		t.Errorf("query %s", q)
	}
	if rel, err := api.client(t).Compare(t.Context(), repoR, shaA, shaA); err != nil || rel != revision.Identical || len(api.requests()) != 1 {
		t.Errorf("the same commit: %s, %v, %d requests", rel, err, len(api.requests()))
	}
}

func TestTheHostIsOnlyRead(t *testing.T) {
	api := fakeHost(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	g := api.client(t)
	_, _ = g.Tip(t.Context(), repoR, "main")
	_, _ = g.Compare(t.Context(), repoR, shaA, shaB)
	_, _ = g.Archive(t.Context(), repoR, shaA)
	for _, r := range api.requests() {
		if r.Method != http.MethodGet {
			t.Errorf("%s %s", r.Method, r.URL.Path)
		}
	}
}
