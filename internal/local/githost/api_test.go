package githost_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/internal/local/githost"
)

func get(t *testing.T, url string, header ...string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
}

func TestTheAPIAnswersAsGitHubDoes(t *testing.T) {
	url, _, _ := serve(t, githost.Options{})
	w := clone(t, url+"/git/o/r.git")
	api := url + "/api/v3/repos/o/r"
	if code, body, _ := get(t, api+"/commits/heads/main"); code != http.StatusConflict || !strings.Contains(body, "Git Repository is empty.") {
		t.Errorf("an empty repository: %d %s", code, body)
	}
	first := w.commit(map[string]string{"a": "1"})
	second := w.commit(map[string]string{"a": "2"})
	w.git("push", "--quiet", "origin", "main")

	var repo struct {
		FullName      string `json:"full_name"`
		DefaultBranch string `json:"default_branch"`
	}
	_, body, _ := get(t, api)
	if err := json.Unmarshal([]byte(body), &repo); err != nil || repo.FullName != "o/r" || repo.DefaultBranch != "main" {
		t.Errorf("repository %s: %v", body, err)
	}
	if code, body, h := get(t, api+"/commits/main", "Accept", "application/vnd.github.sha"); code != 200 || body != second || h.Get("ETag") != `"`+second+`"` {
		t.Errorf("commit id: %d %s %v", code, body, h)
	}
	if code, body, _ := get(t, api+"/commits/"+second); code != 200 || !strings.Contains(body, `"sha":"`+second+`"`) {
		t.Errorf("commit: %d %s", code, body)
	}
	if code, body, _ := get(t, api+"/commits/heads/main", "If-None-Match", `W/"`+second+`"`); code != http.StatusNotModified || body != "" {
		t.Errorf("known commit: %d %s", code, body)
	}
	var diff struct {
		Status  string `json:"status"`
		Ahead   int    `json:"ahead_by"`
		Behind  int    `json:"behind_by"`
		BaseSHA struct {
			SHA string `json:"sha"`
		} `json:"merge_base_commit"`
	}
	_, body, _ = get(t, api+"/compare/main..."+first)
	if err := json.Unmarshal([]byte(body), &diff); err != nil || diff.Status != "behind" || diff.Ahead != 0 || diff.Behind != 1 || diff.BaseSHA.SHA != first {
		t.Errorf("comparison %s: %v", body, err)
	}
	if code, _, h := get(t, api+"/tarball/main"); code != http.StatusFound || h.Get("Location") != "/codeload/o/r/legacy.tar.gz/"+second {
		t.Errorf("tarball: %d %v", code, h)
	}
}

// TestNoNameIsTakenForAnOptionOrAPath: whatever stands in a URL, nothing is run, read or created but what it names.
func TestNoNameIsTakenForAnOptionOrAPath(t *testing.T) {
	dir := t.TempDir()
	url, _, _ := serve(t, githost.Options{Dir: filepath.Join(dir, "git")})
	w := clone(t, url+"/git/o/r.git")
	w.commit(map[string]string{"a": "1"})
	w.git("push", "--quiet", "origin", "main")
	api := url + "/api/v3/repos/o/r"
	for _, u := range []string{
		api + "/commits/--output=" + dir + "/evil", api + "/commits/-h", api + "/commits/main%5E", api + "/commits/main~0", api + "/commits/HEAD@%7B0%7D",
		api + "/commits/main:a", api + "/commits/heads%2F..%2F..%2FHEAD", api + "/commits/main%00", api + "/commits/main..main", api + "/commits/:/change",
		api + "/commits/refs/heads/main", api + "/commits/FETCH_HEAD", api + "/compare/--all...main", api + "/compare/main", api + "/compare/...", api + "/compare/main..main",
		api + "/tarball/--exec=touch%20" + dir + "/evil", url + "/codeload/o/r/legacy.tar.gz/main", url + "/codeload/o/r/legacy.tar.gz/--remote=x",
		url + "/api/v3/repos/..%2F..%2Fetc/r", url + "/api/v3/repos/o/..%2F..", url + "/api/v3/repos/o/.git", url + "/api/v3/repos/.new-1/r", url + "/api/v3/repos/o/nothing",
		url + "/git/o/r.git/HEAD", url + "/git/o/r.git/config", url + "/git/o/r.git/objects/info/packs", url + "/git/..%2Fo/r.git/info/refs", url + "/git/-o/r/info/refs", url + "/", url + "/git/",
	} {
		if code, body, _ := get(t, u); code < 400 || code >= 500 {
			t.Errorf("%s: %d %.100s", u, code, body)
		}
	}
	var found []string
	for _, d := range []string{dir, filepath.Join(dir, "git"), filepath.Join(dir, "git", "o")} {
		list, err := os.ReadDir(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			found = append(found, e.Name())
		}
	}
	if got := strings.Join(found, " "); got != "git o r.git" {
		t.Errorf("files: %s", got)
	}
}

// TestAPushedReplacementDoesNotChangeACommit: refs/replace would let one commit id mean another's files.
func TestAPushedReplacementDoesNotChangeACommit(t *testing.T) {
	url, _, _ := serve(t, githost.Options{})
	w := clone(t, url+"/git/o/r.git")
	good := w.commit(map[string]string{"a/x": "good"})
	evil := w.commit(map[string]string{"a/x": "evil"})
	w.git("replace", good, evil)
	w.git("push", "--quiet", "origin", good+":refs/heads/main", "refs/replace/*:refs/replace/*")
	got, err := cut(t, reader(t, url), good, good, in("a"))
	if err != nil || string(got["argocd/a"].Inputs.Files["a/x"]) != "good" {
		t.Errorf("%v %v", got, err)
	}
}
