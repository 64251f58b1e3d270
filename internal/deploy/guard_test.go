package deploy

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

func TestWhatStaysThoughItLeftGit(t *testing.T) { // security P9, argo-cd.md 2.4.7
	crd := manifest.ID{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition", Name: "w.example.com"}
	claim := manifest.ID{Kind: "PersistentVolumeClaim", Namespace: "n", Name: "data"}
	agreed := map[string]string{manifest.AllowPruneNote: "true"}
	for _, tt := range []struct {
		name  string
		id    manifest.ID
		notes map[string]string
		off   bool
		stays string // part of the reason
	}{
		{"a plain object goes", cm("a"), nil, false, ""},
		{"unless prune is off", cm("a"), agreed, true, "prune is off"},
		{"or it says so", cm("a"), map[string]string{syncOptions: "Prune=false"}, false, "Prune=false"},
		{"among other options", cm("a"), map[string]string{syncOptions: "Replace=true, Prune=false"}, false, "Prune=false"},
		{"other options do not count", cm("a"), map[string]string{syncOptions: "NoPrune=false,Prune=true"}, false, ""},
		{"a namespace stays", manifest.ID{Kind: "Namespace", Name: "n"}, nil, false, "Namespaces are pruned only with"},
		{"a claim stays", claim, nil, false, "PersistentVolumeClaims are pruned only with"},
		{"a volume stays", manifest.ID{Kind: "PersistentVolume", Name: "n"}, nil, false, "only with"},
		{"a definition stays", crd, nil, false, "only with"},
		{"but goes where that is agreed", crd, agreed, false, ""},
		{"only true agrees", claim, map[string]string{manifest.AllowPruneNote: "yes"}, false, "only with"},
		{"the agreement does not undo Prune=false", claim, map[string]string{manifest.AllowPruneNote: "true", syncOptions: "Prune=false"}, false, "Prune=false"},
		{"another group's Namespace is plain", manifest.ID{Group: "example.com", Kind: "Namespace", Name: "n"}, nil, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := app.Application{Sync: app.SyncPolicy{Prune: !tt.off}}
			got := keep(a, tt.id, &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Annotations: tt.notes}})
			if (got == "") != (tt.stays == "") || !strings.Contains(got, tt.stays) {
				t.Errorf("got %q, want %q in it", got, tt.stays)
			}
		})
	}
}

func TestHowManyMayGoAtOnce(t *testing.T) {
	for _, tt := range []struct {
		going, all int
		refused    bool
	}{
		{0, 0, false}, {10, 10, false}, {11, 11, true}, {10, 33, false}, {11, 36, true}, {11, 37, false}, {30, 100, false}, {31, 100, true},
		{600, 2000, false}, {601, 2000, true}, {2000, 2000, true},
	} {
		a := app.Application{Namespace: "argocd", Name: "shop"}
		if err := tooMany(a, "objects", tt.going, tt.all); fault.Is(err, fault.Invalid) != tt.refused {
			t.Errorf("%d of %d: %v", tt.going, tt.all, err)
		}
		a.Annotations = map[string]string{manifest.AllowPruneNote: "true"}
		if err := tooMany(a, "objects", tt.going, tt.all); err != nil {
			t.Errorf("%d of %d, agreed to: %v", tt.going, tt.all, err)
		}
	}
}
