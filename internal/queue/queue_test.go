package queue

import (
	"strings"
	"testing"
)

func TestGroupsAreStoredAsTheirHash(t *testing.T) {
	got := GroupID("github.com/myorg/k8s-config#main")
	if want := "29ecdf7997d1fadd8f36a5692add54e31798b9cc267ec89a845858b15208332f"; got != want { // as sha256sum prints it
		t.Errorf("group id is %q, want %q", got, want)
	}
	if got == GroupID("github.com/myorg/k8s-config#Main") {
		t.Error("branches that differ by case share a group")
	}
}

func TestDeduplicationIdsHaveTheFormThatSQSAllows(t *testing.T) {
	const guid = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
	if got := DedupID(guid); got != guid {
		t.Errorf("a delivery id became %q", got)
	}
	for _, s := range []string{"with space", "ünïcode", "tab\t", strings.Repeat("a", 129)} {
		if got := DedupID(s); len(got) != 64 || got != DedupID(s) {
			t.Errorf("%.20q became %q, want its hash each time", s, got)
		}
	}
	if a, b := DedupID(""), DedupID(""); a == b || a == "" {
		t.Errorf("two messages without an id got %q and %q", a, b)
	}
}
