package githost_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"slipway/internal/local/githost"
	"slipway/internal/secret"
)

type event struct {
	Ref, Before, After       string
	Created, Deleted, Forced bool
	Commits                  []struct{ ID, Message string }
	HeadCommit               *struct{ ID string } `json:"head_commit"`
	Repository               struct {
		FullName      string `json:"full_name"`
		CloneURL      string `json:"clone_url"`
		DefaultBranch string `json:"default_branch"`
	}
}

func parse(t *testing.T, d githost.Delivery) event {
	t.Helper()
	var e event
	if err := json.Unmarshal(d.Body, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

const zeros = "0000000000000000000000000000000000000000"

func TestAPushIsKeptAndAnnounced(t *testing.T) {
	url, ch, _ := serve(t, githost.Options{Secret: secret.Of("It's a Secret to Everybody")})
	w := clone(t, url+"/git/MyOrg/K8s-Config.git")
	first := w.commit(map[string]string{"a.yaml": "a: 1\n"})
	w.git("push", "--quiet", "origin", "main")

	d := next(t, ch)
	e := parse(t, d)
	if e.Ref != "refs/heads/main" || e.Before != zeros || e.After != first || !e.Created || e.Deleted || e.Forced {
		t.Errorf("event of the first push: %+v", e)
	}
	if e.Repository.FullName != "myorg/k8s-config" || e.Repository.CloneURL != "https://github.com/myorg/k8s-config.git" || e.Repository.DefaultBranch != "main" {
		t.Errorf("repository in the event: %+v", e.Repository)
	}
	mac := hmac.New(sha256.New, []byte("It's a Secret to Everybody"))
	mac.Write(d.Body)
	if got, want := d.Header.Get("X-Hub-Signature-256"), "sha256="+hex.EncodeToString(mac.Sum(nil)); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	if d.Header.Get("X-GitHub-Event") != "push" || len(d.Header.Get("X-GitHub-Delivery")) != 36 {
		t.Errorf("header: %v", d.Header)
	}

	w.commit(map[string]string{"a.yaml": "a: 2\n"})
	third := w.commit(map[string]string{"a.yaml": "a: 3\n"})
	w.git("push", "--quiet", "origin", "main")
	e = parse(t, next(t, ch))
	if e.Before != first || e.After != third || e.Created || e.Forced || len(e.Commits) != 2 || e.Commits[1].ID != third || e.HeadCommit.ID != third {
		t.Errorf("event of two commits: %+v", e)
	}

	other := clone(t, url+"/git/myorg/k8s-config.git")
	if got := other.git("rev-parse", "HEAD"); got != third {
		t.Errorf("a clone is at %s, want %s", got, third)
	}
}

func TestEveryRefThatMovesIsAnnounced(t *testing.T) {
	url, ch, _ := serve(t, githost.Options{})
	w := clone(t, url+"/git/o/r.git")
	first := w.commit(map[string]string{"a": "1"})
	w.git("push", "--quiet", "origin", "main")
	next(t, ch)

	t.Run("a force-push says so", func(t *testing.T) {
		w.git("commit", "--quiet", "--amend", "-m", "another")
		w.git("push", "--quiet", "--force", "origin", "main")
		if e := parse(t, next(t, ch)); !e.Forced || e.Before != first {
			t.Errorf("%+v", e)
		}
	})
	t.Run("a branch and a tag in one push are two events", func(t *testing.T) {
		w.git("tag", "-a", "v1", "-m", "one")
		w.git("push", "--quiet", "origin", "main:feature/x", "v1")
		if d := next(t, ch); d.Ref != "refs/heads/feature/x" {
			t.Errorf("first event is of %s", d.Ref)
		}
		if d := next(t, ch); d.Ref != "refs/tags/v1" {
			t.Errorf("second event is of %s", d.Ref)
		}
	})
	t.Run("a deleted branch says so", func(t *testing.T) {
		w.git("push", "--quiet", "origin", ":feature/x")
		if e := parse(t, next(t, ch)); !e.Deleted || e.After != zeros || e.Ref != "refs/heads/feature/x" {
			t.Errorf("%+v", e)
		}
	})
	t.Run("a push that is refused moves nothing", func(t *testing.T) {
		other := clone(t, url+"/git/o/r.git")
		w.commit(map[string]string{"a": "2"})
		w.git("push", "--quiet", "origin", "main")
		next(t, ch)
		other.commit(map[string]string{"a": "3"})
		if out, err := try(t, other.dir, "push", "origin", "main"); err == nil || !strings.Contains(out, "rejected") {
			t.Errorf("a stale push: %v\n%s", err, out)
		}
		select {
		case d := <-ch:
			t.Errorf("announced %s", d.Ref)
		default:
		}
	})
}

func TestTheFirstBranchPushedBecomesTheDefault(t *testing.T) {
	url, ch, _ := serve(t, githost.Options{})
	w := clone(t, url+"/git/o/r.git")
	w.commit(map[string]string{"a": "1"})
	w.git("push", "--quiet", "origin", "main:master")
	if e := parse(t, next(t, ch)); e.Repository.DefaultBranch != "master" {
		t.Errorf("default branch %q", e.Repository.DefaultBranch)
	}
}

func TestALargePushArrivesInChunks(t *testing.T) {
	url, ch, _ := serve(t, githost.Options{})
	w := clone(t, url+"/git/o/r.git")
	noise := make([]byte, 3<<20) // over git's http.postBuffer of 1 MiB, so the request has no length
	_, _ = rand.Read(noise)
	w.commit(map[string]string{"noise": string(noise)})
	w.git("push", "--quiet", "origin", "main")
	next(t, ch)
	got, err := os.ReadFile(filepath.Join(clone(t, url+"/git/o/r.git").dir, "noise"))
	if err != nil || !bytes.Equal(got, noise) {
		t.Errorf("a clone has %d bytes, error %v", len(got), err)
	}
}

func TestRepositoriesOutliveTheHost(t *testing.T) {
	dir := t.TempDir()
	url, ch, _ := serve(t, githost.Options{Dir: dir})
	w := clone(t, url+"/git/o/r.git")
	id := w.commit(map[string]string{"a": "1"})
	w.git("push", "--quiet", "origin", "main")
	next(t, ch)
	again, _, _ := serve(t, githost.Options{Dir: dir})
	if got := clone(t, again+"/git/o/r.git").git("rev-parse", "HEAD"); got != id {
		t.Errorf("HEAD is %s, want %s", got, id)
	}
}

func TestTwoPushesAtOnceAreAnnouncedOnceEach(t *testing.T) {
	url, ch, _ := serve(t, githost.Options{})
	var trees []tree
	for range 4 {
		trees = append(trees, clone(t, url+"/git/o/r.git"))
	}
	var wg sync.WaitGroup
	for i, w := range trees {
		wg.Go(func() {
			w.commit(map[string]string{"a": strings.Repeat("x", i+1)})
			w.git("push", "--quiet", "origin", "main:b"+strings.Repeat("x", i))
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for range trees {
		seen[next(t, ch).Ref] = true
	}
	if len(seen) != len(trees) {
		t.Errorf("announced %v", seen)
	}
}
