package deploy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"slipway/internal/app"
	"slipway/internal/fault"
)

func (w *world) registered() map[app.Name]app.Registered {
	w.t.Helper()
	all, err := w.stores.Registry.All(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[app.Name]app.Registered{}
	for _, r := range all {
		out[r.Application.Key()] = r
	}
	delete(out, "argocd/shop")
	return out
}

func TestApplicationsOfTheSetGoToTheRegistryAndNeverToTheCluster(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"apps.yaml": declared("one", "two"), "a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	got := w.registered()
	if len(got) != 2 || got["argocd/one"].Owner != "argocd/shop" || got["argocd/one"].File != "apps/shop/apps.yaml" {
		t.Errorf("registered are %+v", got)
	}
	if len(w.server.Objects()) != 1 {
		t.Errorf("the cluster holds %v", w.server.Writes())
	}
	if want := []app.Name{"argocd/one"}; !slices.Equal(w.queue.looks, want) { // both follow one branch
		t.Errorf("looked at are %v", w.queue.looks)
	}
}

func TestABranchIsLookedAtOnceHoweverManyApplicationsFollowIt(t *testing.T) { // 100 looks were 10,508 record updates
	w := newWorld(t)
	other := strings.Replace(declared("three"), "    path:", "    targetRevision: stable\n    path:", 1)
	w.push(map[string]string{"apps.yaml": declared("one", "two") + other})
	w.mustSync()
	if want := []app.Name{"argocd/one", "argocd/three"}; !slices.Equal(w.queue.looks, want) {
		t.Errorf("looked at are %v, want one of each branch", w.queue.looks)
	}
}

func TestOnlyWhatChangedIsLookedAt(t *testing.T) {
	w := newWorld(t)
	rich := strings.Replace(declared("one"), "    path: apps/one\n", "    path: apps/one\n    helm:\n      valueFiles: [values.yaml]\n      parameters: [{name: a, value: b}]\n      valuesObject: {x: [1, {y: 2}]}\n", 1)
	rich = strings.Replace(rich, "  namespace: argocd\n", "  namespace: argocd\n  labels: {}\n  annotations: {team: shop}\n", 1)
	w.push(map[string]string{"one.yaml": rich, "two.yaml": declared("two")})
	w.mustSync()
	w.queue.looks = nil
	w.push(map[string]string{"one.yaml": rich, "two.yaml": strings.Replace(declared("two"), "apps/two", "apps/deux", 1)})
	w.mustSync()
	if want := []app.Name{"argocd/two"}; !slices.Equal(w.queue.looks, want) {
		t.Errorf("looked at are %v", w.queue.looks)
	}
}

func TestAnApplicationThatLeftGitIsUnregistered(t *testing.T) {
	for name, prune := range map[string]bool{"with prune": true, "but stays without": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.app.Sync.Prune = prune
			w.declare(w.app)
			w.push(map[string]string{"apps.yaml": declared("one", "two")})
			w.mustSync()
			w.push(map[string]string{"apps.yaml": declared("one")})
			w.mustSync()
			if _, there := w.registered()["argocd/two"]; there == prune {
				t.Errorf("two is registered: %v", there)
			}
			if h := w.record().History[0]; len(h.Notes) != 1 || !strings.Contains(h.Notes[0], "argocd/two is no longer") {
				t.Errorf("the notes are %q", h.Notes)
			}
		})
	}
}

func TestManyApplicationsAreNotUnregisteredWithoutConsent(t *testing.T) {
	w := newWorld(t)
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprintf("app%02d", i))
	}
	w.push(map[string]string{"apps.yaml": declared(names...), "a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	w.push(map[string]string{"a.yaml": configMap("a", "k: v2")})
	if err := w.sync(); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "20 of 20 Applications") {
		t.Fatalf("the error is %v", err)
	}
	if len(w.registered()) != 20 {
		t.Errorf("%d are left", len(w.registered()))
	}
	w.wantValues(map[string]string{"a": "v1"})
}

func TestAnApplicationHasOneOwner(t *testing.T) {
	for name, tt := range map[string]struct {
		owner app.Name
		there bool
		kind  fault.Kind
	}{
		"the configuration":                  {"", false, fault.Conflict},
		"another application":                {"argocd/other", true, fault.Conflict}, // tried again: one commit may move it
		"an application that is gone by now": {"argocd/other", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			child := w.app
			child.Name = "child"
			put := func(r app.Registered) {
				if err := w.stores.Registry.Put(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			put(app.Registered{Application: child, Owner: tt.owner})
			if tt.there {
				other := w.app
				other.Name = "other"
				put(app.Registered{Application: other})
			}
			w.push(map[string]string{"apps.yaml": declared("child"), "a.yaml": configMap("a", "k: v1")})
			err := w.sync()
			if tt.kind == 0 {
				if err != nil || w.registered()["argocd/child"].Owner != "argocd/shop" {
					t.Errorf("%v; registered is %+v", err, w.registered())
				}
				return
			}
			if !fault.Is(err, tt.kind) || !strings.Contains(err.Error(), "apps/shop/apps.yaml: Application argocd/child is declared by") {
				t.Errorf("the error is %v", err)
			}
			if w.registered()["argocd/child"].Owner != tt.owner || len(w.server.Writes()) != 0 {
				t.Errorf("something changed: %+v, %v", w.registered(), w.server.Writes())
			}
		})
	}
}

func TestAnErrorInOneDeclarationChangesNothing(t *testing.T) { // argo-cd.md 2.9.4: mass deletions
	twice := declared("two") + strings.Replace(declared("two"), "apps/two", "apps/deux", 1)
	for name, tt := range map[string]struct{ file, want string }{
		"an unsupported field": {strings.Replace(declared("two"), "  project:", "  syncWindows: [{}]\n  project:", 1), "spec.syncWindows"},
		"one name twice":       {twice, "is declared in apps/shop/apps.yaml already"},
		"a broken set": {"---\napiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata:\n  name: set\nspec:\n  generators: [{git: {}}]\n  template: {}\n",
			"apps/shop/apps.yaml"},
		"a project of its own": {"---\napiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata:\n  name: p\n", "AppProject"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.push(map[string]string{"apps.yaml": declared("one", "two", "three")})
			w.mustSync()
			w.push(map[string]string{"apps.yaml": declared("one") + tt.file, "a.yaml": configMap("a", "k: v1")})
			if err := w.sync(); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the error is %v", err)
			}
			if len(w.registered()) != 3 || len(w.server.Objects()) != 0 {
				t.Errorf("registered are %v", w.registered())
			}
		})
	}
}

func TestASetIsExpandedAndShrinksWithItsElements(t *testing.T) {
	set := func(clusters string) string {
		return "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata:\n  name: set\n  namespace: argocd\nspec:\n  generators:\n  - list:\n      elements: [" + clusters + "]\n" +
			"  template:\n    metadata:\n      name: 'shop-{{cluster}}'\n    spec:\n      project: default\n      source:\n        repoURL: " + repo + "\n        path: apps/x\n" +
			"      destination:\n        name: '{{cluster}}'\n        namespace: production\n"
	}
	w := newWorld(t)
	w.push(map[string]string{"set.yaml": set("{cluster: eu}, {cluster: us}")})
	w.mustSync()
	if got := w.registered(); len(got) != 2 || got["argocd/shop-eu"].Application.Destination.Name != "eu" {
		t.Fatalf("registered are %+v", got)
	}
	w.push(map[string]string{"set.yaml": set("{cluster: us}")})
	w.mustSync()
	if got := w.registered(); len(got) != 1 || got["argocd/shop-us"].Owner != "argocd/shop" {
		t.Errorf("registered are %+v", got)
	}
}

func TestAnApplicationRegisteredByARunThatBrokeIsNotLeftBehind(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"apps.yaml": declared("one"), "a.yaml": configMap("a", "k: v1")})
	w.deploy.Queue = full{}
	if err := w.sync(); err == nil || len(w.registered()) != 1 {
		t.Fatalf("%v; registered are %v", err, w.registered())
	}
	w.deploy.Queue = w.queue
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	if len(w.registered()) != 0 {
		t.Error("one is registered for ever: no Application is declared, and none was by a run that ended well")
	}
}

func TestAnApplicationIsNotLeftBehindAfterTheRecordIsLost(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"apps.yaml": declared("one"), "a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	if err := w.stores.Records.Delete(t.Context(), w.app.Key()); err != nil {
		t.Fatal(err)
	}
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	if len(w.registered()) != 0 {
		t.Error("one is registered for ever")
	}
}

func TestWarningsOfDeclarationsAreNotedWithTheirFile(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"apps.yaml": strings.Replace(declared("one"), "  project: default\n", "", 1)})
	w.mustSync()
	h := w.record().History[0]
	if len(h.Notes) != 1 || !strings.HasPrefix(h.Notes[0], "apps/shop/apps.yaml") || !strings.Contains(h.Notes[0], "project") {
		t.Errorf("the notes are %q", h.Notes)
	}
}
