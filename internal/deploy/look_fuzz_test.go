package deploy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// FuzzInventory: whatever lies in the store is read without a panic, and what was read is written and read the same.
func FuzzInventory(f *testing.F) {
	good, err := inventory{
		cm("a"): ownership.Mark{UID: "u", Entry: "e", Others: "o", Generation: 3},
		{Group: "apps", Kind: "Deployment", Namespace: "n", Name: "d"}: {},
	}.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	for _, s := range []string{"", "null", "[]", "{}", "[{}]", "[null]", `[{"mark":{"generation":1e99}}]`, `[{"kind":1}]`, string(good[:len(good)-3])} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		inv, err := decodeInventory(b)
		if err != nil {
			return
		}
		again, err := inv.encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeInventory(again)
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		if d := cmp.Diff(map[manifest.ID]ownership.Mark(inv), map[manifest.ID]ownership.Mark(back)); d != "" {
			t.Error(d)
		}
	})
}
