package cli

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"slipway/internal/app"
	"slipway/internal/local"
	"slipway/internal/record"
	"slipway/internal/revision"
)

// call runs the command as a user does.
func call(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = Run(args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--help"}, exitDone, ""},
		{[]string{"app"}, exitDone, ""},
		{[]string{"rollout"}, exitDone, ""},
		{[]string{"rollout", "nonsense"}, exitUsage, `unknown command "nonsense"`},
		{[]string{"rollout", "list", "--dir", dir}, exitFailed, "no slipway up runs there"},
		{[]string{"app", "nonsense"}, exitUsage, `unknown command "nonsense"`},
		{[]string{"nonsense"}, exitUsage, "unknown command"},
		{[]string{"--nonsense"}, exitUsage, "unknown flag"},
		{[]string{"app", "list", "--nonsense"}, exitUsage, "unknown flag"},
		{[]string{"app", "list", "more"}, exitUsage, "accepts 0 arg(s), received 1; usage: slipway app list"},
		{[]string{"app", "get"}, exitUsage, "accepts 1 arg(s)"},
		{[]string{"app", "list", "-o", "yaml"}, exitUsage, `output "yaml": want text or json`},
		{[]string{"app", "get", "a/b/c"}, exitUsage, "want NAME or NAMESPACE/NAME"},
		{[]string{"app", "sync", "../../x"}, exitUsage, "want NAME or NAMESPACE/NAME"},
		{[]string{"app", "diff", "x?y"}, exitUsage, "want NAME or NAMESPACE/NAME"},
		{[]string{"app", "list", "--dir", dir}, exitFailed, "no slipway up runs there"},
		{[]string{"render", "x.yaml"}, exitUsage, "--source is required"},
		{[]string{"render", filepath.Join(dir, "none.yaml"), "--source", dir}, exitUsage, "read application"},
		{[]string{"up", "more"}, exitUsage, "accepts 0 arg(s)"},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			code, _, stderr := call(tt.args...)
			if code != tt.code || !strings.Contains(stderr, tt.says) {
				t.Errorf("exit code %d, want %d; stderr: %s", code, tt.code, stderr)
			}
		})
	}
}

// server stands for slipway up: answers by path, found by a folder as the real one is.
func server(t *testing.T, answers map[string]func() any) (dir string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer key" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		answer := answers[r.Method+" "+r.URL.Path]
		if answer == nil {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"error":"there is none","kind":"not found"}`))
			return
		}
		_ = json.NewEncoder(w).Encode(answer())
	}))
	t.Cleanup(s.Close)
	return serverDir(t, s.URL)
}

// serverDir is the folder in which a client finds the server of a URL.
func serverDir(t *testing.T, url string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{"ready.json": `{"url":"` + url + `"}`, "secrets.json": `{"webhook":"w","api":"key"}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func shop(status string, rec record.Record) local.Application {
	a := local.Application{Name: "argocd/shop", Status: status, Record: rec, Registered: app.Registered{File: "argocd/shop.yaml", Owner: "argocd/root",
		Application: app.Application{Namespace: "argocd", Name: "shop", Destination: app.Destination{Name: "in-cluster", Namespace: "production"},
			Source: app.Source{RepoURL: "https://github.com/myorg/k8s-config", Path: "apps/shop", TargetRevision: "main"}}}}
	if len(rec.History) > 0 {
		a.Last = &rec.History[0]
	}
	return a
}

const commit = revision.SHA("0123456789abcdef0123456789abcdef01234567")

func TestApplicationsAreListedAndShown(t *testing.T) {
	rec := record.Record{Done: record.Done{Revs: map[string]revision.SHA{"x": commit}},
		History: []record.Run{{Outcome: record.Failed, Reason: "first line\nsecond \x1b[31mline", Ended: time.Now(), Revs: map[string]revision.SHA{"x": commit}, Notes: []string{"one note"}}}}
	dir := server(t, map[string]func() any{
		"GET /v1/applications":             func() any { return []local.Application{shop("OutOfSync", rec)} },
		"GET /v1/applications/argocd/shop": func() any { return shop("OutOfSync", rec) },
	})
	for name, tt := range map[string]struct {
		args []string
		want []string
	}{
		"list":         {[]string{"list"}, []string{"NAME", "argocd/shop", "OutOfSync", commit.Short(), "failed", "in-cluster production"}},
		"get":          {[]string{"get", "shop"}, []string{"https://github.com/myorg/k8s-config apps/shop main", "first line", "second [31mline", "one note", "argocd/shop.yaml"}},
		"history":      {[]string{"history", "argocd/shop"}, []string{"failed", "first line; second [31mline", commit.Short()}},
		"get, as JSON": {[]string{"get", "shop", "-o", "json"}, []string{`"status": "OutOfSync"`, `"outcome": "failed"`}},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := call(append(append([]string{"app"}, tt.args...), "--dir", dir)...)
			if code != exitDone {
				t.Fatalf("exit code %d: %s", code, errs)
			}
			for _, w := range tt.want {
				if !strings.Contains(out, w) {
					t.Errorf("%q is not in\n%s", w, out)
				}
			}
			if strings.Contains(out, "\x1b") {
				t.Error("what the cluster says reaches the terminal as it is (security X7)")
			}
		})
	}
	if code, _, errs := call("app", "get", "none", "--dir", dir); code != exitFailed || !strings.Contains(errs, "there is none") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

func TestResourcesAndDifferencesArePrinted(t *testing.T) {
	dir := server(t, map[string]func() any{
		"GET /v1/applications/argocd/shop/resources": func() any {
			return []map[string]any{{"group": "apps", "kind": "Deployment", "namespace": "production", "name": "web", "sync": "Synced", "health": "Progressing", "detail": "1 of 2"}}
		},
		"GET /v1/applications/argocd/shop/diff": func() any {
			return []map[string]any{
				{"kind": "ConfigMap", "namespace": "production", "name": "a", "action": "change", "changes": []map[string]any{{"path": ".data.k", "old": "v1", "new": "v2"}, {"path": ".data.n", "new": "x"}}},
				{"kind": "ConfigMap", "namespace": "production", "name": "b", "action": "stay", "reason": "prune is off"},
			}
		},
	})
	_, out, _ := call("app", "resources", "shop", "--dir", dir)
	if !strings.Contains(out, "Deployment.apps") || !strings.Contains(out, "Progressing  1 of 2") {
		t.Errorf("resources:\n%s", out)
	}
	_, out, _ = call("app", "diff", "shop", "--dir", dir)
	want := "change ConfigMap production/a\n  .data.k: v1 -> v2\n  .data.n: (none) -> x\nstay ConfigMap production/b\n  prune is off\n"
	if out != want {
		t.Errorf("diff:\n%s", out)
	}
}

func TestSyncWaitsForWhatItAskedFor(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		automated bool
		then      record.Record // after two polls
		code      int
		says      string
	}{
		"done":                           {false, record.Record{Wanted: record.Wanted{Seq: 7}, Done: record.Done{Seq: 7}}, exitDone, ""},
		"refused":                        {false, record.Record{Wanted: record.Wanted{Seq: 7}, GivenUp: 7, History: []record.Run{{Outcome: record.RefusedRun, Reason: "no selector"}}}, exitFailed, "refused: no selector"},
		"a newer commit, by hand":        {false, record.Record{Wanted: record.Wanted{Seq: 8}, Requested: 7}, exitFailed, "a newer commit came"},
		"a newer commit, by itself":      {true, record.Record{Wanted: record.Wanted{Seq: 8}, Done: record.Done{Seq: 8}, Requested: 7}, exitDone, ""},
		"not done in time":               {true, record.Record{Wanted: record.Wanted{Seq: 7}, Requested: 7}, exitFailed, "not done in 1s"},
		"done before, and not yet again": {true, record.Record{Wanted: record.Wanted{Seq: 7}, Done: record.Done{Seq: 7}, Requested: 7}, exitFailed, "not done in 1s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := record.Record{Wanted: record.Wanted{Seq: 7}, Requested: 7}
			var polls atomic.Int32
			dir := server(t, map[string]func() any{
				"POST /v1/applications/argocd/shop/sync": func() any { return shop("OutOfSync", asked) },
				"GET /v1/applications/argocd/shop": func() any {
					a := shop("OutOfSync", asked)
					if polls.Add(1) > 2 {
						a = shop("", tt.then)
					}
					a.Registered.Application.Sync.Automated = tt.automated
					return a
				},
			})
			code, _, errs := call("app", "sync", "shop", "--timeout", "1s", "--dir", dir)
			if code != tt.code || !strings.Contains(errs, tt.says) {
				t.Errorf("exit code %d, want %d: %s", code, tt.code, errs)
			}
		})
	}
}
