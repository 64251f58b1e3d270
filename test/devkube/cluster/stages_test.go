package cluster

import (
	"strings"
	"testing"
)

func TestAStageReplacesAnEarlierOneOfItsName(t *testing.T) {
	const pods = "apiVersion: kwok.x-k8s.io/v1alpha1\nkind: Stage\nmetadata: {name: NAME}\nspec: {resourceRef: {apiGroup: v1, kind: Pod}}\n"
	count := func(more ...string) int {
		byKind, err := stages(more)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, s := range byKind {
			n += len(s)
		}
		return n
	}
	builtin := count()
	if got := count(named(pods, "pod-ready")); got != builtin {
		t.Errorf("%d stages with a replacement, %d without", got, builtin)
	}
	if got := count(named(pods, "a") + "---\n" + named(pods, "b")); got != builtin+2 {
		t.Errorf("%d stages with two more, %d without", got, builtin)
	}
}

func named(stage, name string) string { return strings.ReplaceAll(stage, "NAME", name) }

func TestAStageThatIsNoneIsRefused(t *testing.T) {
	if _, err := stages([]string{"kind: Stage\nspec: ["}); err == nil {
		t.Error("no error")
	}
}
