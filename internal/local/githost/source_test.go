package githost_test

import (
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"slipway/internal/fault"
	"slipway/internal/git/source"
	"slipway/internal/local/githost"
	"slipway/internal/revision"
)

const configRepo = revision.Repository("github.com/o/r")

func reader(t *testing.T, url string) *source.GitHub {
	t.Helper()
	g, err := source.New(source.Host{Name: "github.com", API: url + "/api/v3/", Plain: true, Private: true})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestSourceReadsTipsFromTheLocalHost(t *testing.T) {
	url, _, _ := serve(t, githost.Options{})
	g := reader(t, url)
	if _, err := g.Tip(t.Context(), configRepo, "main"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a repository that is not there: %v", err)
	}
	w := clone(t, url+"/git/o/r.git")
	if _, err := g.Tip(t.Context(), configRepo, "main"); !fault.Is(err, fault.NotFound) {
		t.Errorf("an empty repository: %v", err)
	}
	first := w.commit(map[string]string{"a": "1"})
	w.git("tag", "-a", "v1", "-m", "one")
	w.git("tag", "both")
	second := w.commit(map[string]string{"a": "2"})
	w.git("branch", "both")
	w.git("branch", "feature/x")
	w.git("checkout", "--quiet", "-b", "side", first)
	side := w.commit(map[string]string{"a": "3"})
	w.git("push", "--quiet", "origin", "main", "side", "feature/x", "refs/heads/both", "refs/tags/both", "v1")

	for ref, want := range map[string]string{
		"HEAD": second, "": second, "main": second, "feature/x": second, "side": side, "v1": first, "both": second,
		"refs/tags/both": first, "refs/heads/both": second, first: first, second: second,
	} {
		got, err := g.Tip(t.Context(), configRepo, ref)
		if err != nil || string(got) != want {
			t.Errorf("tip of %q: %s, %v; want %s", ref, got, err, want)
		}
	}
	for ref, kind := range map[string]fault.Kind{
		"nowhere": fault.NotFound, side: fault.Invalid, strings.Repeat("0", 40): fault.NotFound, first[:12]: fault.NotFound,
		"main^": fault.Invalid, "--help": fault.Invalid, "a..b": fault.Invalid, "1.*": fault.Invalid, "refs/pull/1/head": fault.Invalid,
	} {
		if _, err := g.Tip(t.Context(), configRepo, ref); !fault.Is(err, kind) {
			t.Errorf("tip of %q: %v, want %s", ref, err, kind)
		}
	}
}

func TestSourceComparesCommitsOfTheLocalHost(t *testing.T) {
	url, _, _ := serve(t, githost.Options{})
	g := reader(t, url)
	w := clone(t, url+"/git/o/r.git")
	first := w.commit(map[string]string{"a": "1"})
	second := w.commit(map[string]string{"a": "2"})
	w.git("checkout", "--quiet", "-b", "side", first)
	side := w.commit(map[string]string{"a": "3"})
	w.git("checkout", "--quiet", "--orphan", "other")
	orphan := w.commit(map[string]string{"a": "4"})
	w.git("push", "--quiet", "origin", "main", "side", "other")
	gone := strings.Repeat("ab", 20)
	for _, c := range []struct {
		name, base, head string
		want             revision.Relation
	}{
		{"the same", first, first, revision.Identical},
		{"a child", first, second, revision.Ahead},
		{"a parent", second, first, revision.Behind},
		{"a sibling", second, side, revision.Diverged},
		{"no common ancestor", second, orphan, revision.Diverged},
		{"a base that is gone", gone, second, revision.Diverged},
	} {
		got, err := g.Compare(t.Context(), configRepo, revision.SHA(c.base), revision.SHA(c.head))
		if err != nil || got != c.want {
			t.Errorf("%s: %s, %v; want %s", c.name, got, err, c.want)
		}
	}
	if _, err := g.Compare(t.Context(), configRepo, revision.SHA(first), revision.SHA(gone)); !fault.Is(err, fault.NotFound) {
		t.Errorf("a head that is gone: %v", err)
	}
}

func TestSourceAsksOnlyForWhatHasChanged(t *testing.T) {
	url, _, _ := serve(t, githost.Options{})
	g := reader(t, url)
	w := clone(t, url+"/git/o/r.git")
	first := w.commit(map[string]string{"a": "1"})
	w.git("push", "--quiet", "origin", "main", "HEAD:refs/tags/v1")
	for _, ref := range []string{"main", "HEAD", "v1", first} {
		sha, etag, changed, err := g.Changed(t.Context(), configRepo, ref, "")
		if err != nil || !changed || string(sha) != first || etag == "" {
			t.Fatalf("%s for the first time: %s %s %v %v", ref, sha, etag, changed, err)
		}
		sha, again, changed, err := g.Changed(t.Context(), configRepo, ref, etag)
		if err != nil || changed || sha != "" || again != etag {
			t.Errorf("%s unchanged: %s %s %v %v", ref, sha, again, changed, err)
		}
	}
	_, etag, _, _ := g.Changed(t.Context(), configRepo, "main", "")
	second := w.commit(map[string]string{"a": "2"})
	w.git("push", "--quiet", "origin", "main")
	if sha, _, changed, err := g.Changed(t.Context(), configRepo, "main", etag); err != nil || !changed || string(sha) != second {
		t.Errorf("after a push: %s %v %v", sha, changed, err)
	}
}

func TestSourceStreamsAnArchive(t *testing.T) {
	url, _, _ := serve(t, githost.Options{})
	g := reader(t, url)
	w := clone(t, url+"/git/o/r.git")
	id := w.commit(map[string]string{"apps/a/values.yaml": "image: 1\n"})
	w.git("push", "--quiet", "origin", "main")
	body, err := g.Archive(t.Context(), configRepo, revision.SHA(id))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	z, err := gzip.NewReader(body)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil || !strings.Contains(string(data), "o-r-"+id[:7]+"/apps/a/values.yaml") || !strings.Contains(string(data), "comment="+id) {
		t.Errorf("archive of %d bytes, %v", len(data), err)
	}
	for _, bad := range []string{"main", id[:7], "../" + id} {
		if _, err := g.Archive(t.Context(), configRepo, revision.SHA(bad)); !fault.Is(err, fault.Invalid) {
			t.Errorf("archive of %q: %v", bad, err)
		}
	}
	if _, err := g.Archive(t.Context(), configRepo, revision.SHA(strings.Repeat("0", 40))); !fault.Is(err, fault.NotFound) {
		t.Errorf("archive of no commit: %v", err)
	}
}
