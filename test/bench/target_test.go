package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/test/cluster"
)

func TestWhatIsDrawnIsRightAsGitHasItAndTheSameEachTime(t *testing.T) {
	first, err := draw(200)
	if err != nil {
		t.Fatal(err)
	}
	second, err := draw(200)
	if err != nil {
		t.Fatal(err)
	}
	objects := map[string]*unstructured.Unstructured{}
	for i := range targetApplications {
		all, err := cluster.CrowdSet(i)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range all {
			objects[u.GetName()] = u
		}
	}
	done, seen := map[string]bool{}, map[string]bool{}
	for i, x := range first {
		u := objects[x.name]
		if seen[x.name] || x.resource.Resource == "" || u == nil || u.GetNamespace() != x.space || !x.right(u) {
			t.Errorf("%+v is drawn twice, or is not as git has it", x)
		}
		if second[i].name != x.name || second[i].edit.verb != x.edit.verb {
			t.Errorf("%s %s once, %s %s the next time", x.edit.verb, x.name, second[i].edit.verb, second[i].name)
		}
		seen[x.name], done[x.edit.verb] = true, true
	}
	if want := map[string]bool{"delete": true, "edit": true, "label": true, "scale": true, "set": true}; !cmp.Equal(done, want) {
		t.Errorf("verbs %v", done)
	}
	if _, err := draw(targetApplications*10 + 1); err == nil {
		t.Error("more was drawn than there is")
	}
}

func TestAValueIsFoundInTheFirstItemOfAList(t *testing.T) {
	v := map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"image": "a"}, map[string]any{"image": "b"}}, "replicas": int64(0)}}
	for want, path := range map[string][]string{"a": {"spec", "containers", "image"}, "0": {"spec", "replicas"}, "": {"spec", "replicas", "x"}, "<nil>": {"status"}} {
		if got := textAt(v, path); got != want {
			t.Errorf("%v: %q, want %q", path, got, want)
		}
	}
}

func TestCountsSayTheMostFirst(t *testing.T) {
	if got := counts(map[string]int{"b": 1, "a": 1, "c": 7}); got != "7 c, 1 a, 1 b" {
		t.Error(got)
	}
}

func TestEachPartOfAnEvenOrderHasTheSameMix(t *testing.T) {
	drawn, err := draw(200)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int{}
	for _, x := range drawn {
		all[x.edit.verb]++
	}
	order := evenly(drawn)
	if len(order) != len(drawn) {
		t.Fatalf("%d of %d", len(order), len(drawn))
	}
	for part := range 10 {
		got := map[string]int{}
		for _, x := range order[part*20 : part*20+20] {
			got[x.edit.verb]++
		}
		for verb, n := range all {
			if diff := got[verb] - n/10; diff < -1 || diff > 2 {
				t.Errorf("part %d has %s; ten parts together %s", part, counts(got), counts(all))
			}
		}
	}
}
