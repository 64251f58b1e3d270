package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/app"
	"slipway/internal/record"
	"slipway/internal/revision"
)

func TestTheRootIsAPlainDirectoryOfARepository(t *testing.T) {
	for _, tt := range []struct{ flag, repo, path, wrong string }{
		{"myorg/k8s-config:argocd", "https://github.com/myorg/k8s-config", "argocd", ""},
		{"myorg/k8s-config:/argocd/apps/", "https://github.com/myorg/k8s-config", "argocd/apps", ""},
		{"myorg/k8s-config:", "https://github.com/myorg/k8s-config", ".", ""},
		{"https://github.com/myorg/k8s-config.git:argocd", "https://github.com/myorg/k8s-config.git", "argocd", ""},
		{"https://github.com/myorg/k8s-config", "", "", "want REPO:PATH"},
		{"myorg/k8s-config", "", "", "want REPO:PATH"},
		{"", "", "", "want REPO:PATH"},
		{"myorg/k8s-config:a/../../b", "", "", "leaves the repository"},
		{"https://user:token@github.com/myorg/k8s-config:argocd", "", "", ""},
	} {
		t.Run(tt.flag, func(t *testing.T) {
			a, err := root(tt.flag)
			if tt.repo == "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) || strings.Contains(err.Error(), "token") {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if a.Key() != "argocd/root" || a.Source.RepoURL != tt.repo || a.Source.Path != tt.path || !a.Sync.Automated || !a.Sync.Prune {
				t.Errorf("got %+v", a)
			}
		})
	}
}

func TestTheWatchFlagLeavesAClusterThatSaysOtherwise(t *testing.T) {
	all := []app.Cluster{{Name: "a"}, {Name: "b", Drift: app.DriftSweep}, {Name: "c", Drift: app.DriftWatch}}
	watch(all)
	if all[0].Drift != app.DriftWatch || all[1].Drift != app.DriftSweep || all[2].Drift != app.DriftWatch {
		t.Errorf("%+v", all)
	}
}

func TestSecretsAreMadeOnceAndAreTheOwnersAlone(t *testing.T) {
	dir := t.TempDir()
	first, err := loadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Webhook) < 32 || len(first.API) < 32 || first.Webhook == first.API {
		t.Error("the secrets are short or the same")
	}
	again, err := loadKeys(dir)
	if err != nil || again != first {
		t.Errorf("a restart has other secrets: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, keysFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	for _, damaged := range []string{"", "{", "{}", `{"webhook":"x"}`} {
		if err := os.WriteFile(filepath.Join(dir, keysFile), []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := loadKeys(dir); err == nil || !strings.Contains(err.Error(), "delete it") {
			t.Errorf("%q: %v", damaged, err)
		}
	}
}

func TestWakeUpsOfOneApplicationNeverCountAsDuplicates(t *testing.T) { // a force-push back within five minutes would be lost
	l, _ := served(t)
	for range 2 {
		if err := l.queues.Wake(t.Context(), "argocd/shop"); err != nil {
			t.Fatal(err)
		}
	}
	ms, err := l.queues.syncs.Receive(t.Context(), 10)
	if err != nil || len(ms) == 0 {
		t.Fatalf("%v, %v", ms, err)
	}
	for _, m := range ms {
		if err := l.queues.syncs.Delete(t.Context(), m.Receipt); err != nil {
			t.Fatal(err)
		}
	}
	more, err := l.queues.syncs.Receive(t.Context(), 10)
	if err != nil || len(ms)+len(more) != 2 {
		t.Errorf("%d and %d of 2 came, %v", len(ms), len(more), err)
	}
}

func TestALookIsAMoveOfTheBranch(t *testing.T) {
	l, _ := served(t)
	a := l.declare(t, "shop")
	if err := l.queues.Look(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	ms, err := l.queues.moves.Receive(t.Context(), 10)
	if err != nil || len(ms) != 1 || !strings.Contains(ms[0].Body, `"github.com/myorg/k8s-config"`) || !strings.Contains(ms[0].Body, `"main"`) {
		t.Errorf("queued are %v, %v", ms, err)
	}
	a.Source.RepoURL = "not a repository"
	if err := l.queues.Look(t.Context(), a); err == nil {
		t.Error("a source that is no repository is queued")
	}
}

func TestVisibilityIsLongerThanWhatItCovers(t *testing.T) { // protocol rule 9: a busy lock is not met again by the same message
	if syncsVisibility <= 125*time.Second+record.Grace || syncsReceives < 5 {
		t.Errorf("syncs: %s, %d receives", syncsVisibility, syncsReceives)
	}
	if movesVisibility <= fetchTimeout {
		t.Errorf("moves: %s", movesVisibility)
	}
}

func TestTheLeasesOfADeadProcessEndAtTheNextStart(t *testing.T) {
	l, _ := served(t)
	a := l.declare(t, "shop")
	l.find(t, a, "sha256:d1")
	now := time.Now()
	if _, err := l.stores.Records.Update(t.Context(), a.Key(), func(r *record.Record) error { return r.Take("dead", now, now.Add(time.Hour)) }); err != nil {
		t.Fatal(err)
	}
	if err := l.recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := l.stores.Records.Update(t.Context(), a.Key(), func(r *record.Record) error { return r.Take("next", now, now.Add(time.Hour)) })
	if err != nil || r.Lock.Takeover != r.Lock.Fence {
		t.Errorf("%+v, %v", r.Lock, err)
	}
}

func TestTheRootIsRegisteredAndStaysWithoutTheFlag(t *testing.T) {
	l, _ := served(t)
	if err := l.registerRoot(t.Context(), "myorg/k8s-config:argocd"); err != nil {
		t.Fatal(err)
	}
	if err := l.registerRoot(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	all, err := l.stores.Registry.Using(t.Context(), revision.Repository("github.com/myorg/k8s-config"))
	if err != nil || len(all) != 1 || all[0].Owner != "" {
		t.Errorf("%+v, %v", all, err)
	}
	if err := l.registerRoot(t.Context(), "nonsense"); err == nil {
		t.Error("a root that is none is taken")
	}
}
