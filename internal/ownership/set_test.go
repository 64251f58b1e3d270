package ownership_test

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	. "slipway/internal/ownership"
)

func by(manager, fields string) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{Manager: manager, Operation: metav1.ManagedFieldsOperationUpdate, FieldsV1: metav1.NewFieldsV1(fields)}
}

func TestASetIsWhatItsEntriesOwnTogether(t *testing.T) {
	s := SetOf(by("a", `{"f:l":{"k:{\"name\":\"x\"}":{".":{},"f:v":{}}},"f:m":{}}`), by("b", `{"f:l":{"k:{\"name\":\"y\"}":{}}}`))
	for steps, reached := range map[string]bool{"f:l": true, "f:m": true, `f:l k:{"name":"x"} f:v`: true, `f:l k:{"name":"z"}`: false, "f:m f:a": false, "f:n": false} {
		if got := s.Reaches(strings.Fields(steps)); got != reached {
			t.Errorf("%s: %v", steps, got)
		}
	}
	for steps, want := range map[string][]string{"f:l": {`k:{"name":"x"}`, `k:{"name":"y"}`}, "f:m": nil, `f:l k:{"name":"x"}`: {"f:v"}, "f:none f:more": nil} {
		if got := s.Below(strings.Fields(steps)); !slices.Equal(got, want) {
			t.Errorf("below %s is %q, want %q", steps, got, want)
		}
	}
	var leaves []string
	for _, l := range s.Leaves() {
		leaves = append(leaves, strings.Join(l, " "))
	}
	if want := []string{`f:l k:{"name":"x"} f:v`, `f:l k:{"name":"y"}`, "f:m"}; !slices.Equal(leaves, want) {
		t.Errorf("leaves are %q, want %q", leaves, want)
	}
}

// A manifest may leave the protocol out of one of two ports of one number: 53/UDP is not the one without.
func TestAnItemThatSaysItsKeyComesBeforeOneThatLeavesSomeOut(t *testing.T) {
	ports := []any{map[string]any{"port": int64(53)}, map[string]any{"port": int64(53), "protocol": "UDP"}}
	for step, want := range map[string]int{
		`k:{"port":53,"protocol":"UDP"}`: 1, `k:{"port":53,"protocol":"TCP"}`: 0, `k:{"port":54,"protocol":"UDP"}`: -1, "i:1": 1, "i:2": -1, "i:-1": -1, "k:": -1, "": -1,
	} {
		if got := IndexOf(ports, step); got != want {
			t.Errorf("%s is at %d, want %d", step, got, want)
		}
	}
}

func TestThePartsOfWhatSomebodyAdded(t *testing.T) {
	entries := []metav1.ManagedFieldsEntry{
		by("x", `{"f:notes":{".":{},"f:a":{},"f:b":{".":{},"f:c":{}}},"f:other":{}}`), by("y", `{"f:notes":{"f:d":{}}}`),
	}
	var got []string
	for _, p := range (Owned{Manager: "x", Steps: []string{"f:notes"}}).Parts(entries) {
		got = append(got, p.Path+" by "+p.Manager)
	}
	if want := []string{".notes.a by x", ".notes.b by x"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if p := (Owned{Manager: "x", Steps: []string{"f:other"}}).Parts(entries); len(p) > 0 {
		t.Errorf("a value has parts: %v", p)
	}
}
