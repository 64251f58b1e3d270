package deploy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestGroupsAreRunsOfOneKind(t *testing.T) {
	kinds := []string{"Secret", "Secret", "Secret.x.io", "Secret", "ConfigMap"}
	got := [][]string{}
	for g := range groups(kinds, schema.ParseGroupKind) {
		got = append(got, g)
	}
	if d := cmp.Diff([][]string{{"Secret", "Secret"}, {"Secret.x.io"}, {"Secret"}, {"ConfigMap"}}, got); d != "" {
		t.Error(d)
	}
	for range groups(nil, schema.ParseGroupKind) {
		t.Error("no items have groups")
	}
}
