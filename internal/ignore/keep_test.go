package ignore_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	. "slipway/internal/ignore"
)

func TestAValueIsKeptOnlyInWhatGitSays(t *testing.T) {
	const live = "{spec: {selector: {app: old, hash: abc}, rules: [{refs: [{w: 70}, {w: 30}]}]}}"
	for name, test := range map[string]struct {
		said string
		path []any
		want string
	}{
		"a key beside git's own":           {"{spec: {selector: {app: new}}}", []any{"spec", "selector", "hash"}, "{spec: {selector: {app: new, hash: kept}}}"},
		"a value of git's":                 {"{spec: {selector: {hash: git}}}", []any{"spec", "selector", "hash"}, "{spec: {selector: {hash: kept}}}"},
		"a place in git's list":            {"{spec: {rules: [{new: 1}, {refs: [{w: 100}, {w: 0}]}]}}", []any{"spec", "rules", 1, "refs", 1, "w"}, "{spec: {rules: [{new: 1}, {refs: [{w: 100}, {w: kept}]}]}}"},
		"an item as a whole":               {"{spec: {rules: [a, b]}}", []any{"spec", "rules", 0}, "{spec: {rules: [kept, b]}}"},
		"nothing where git has no map":     {"{spec: {}}", []any{"spec", "selector", "hash"}, "{spec: {}}"},
		"nothing behind the end of a list": {"{spec: {rules: [{refs: []}]}}", []any{"spec", "rules", 0, "refs", 1, "w"}, "{spec: {rules: [{refs: []}]}}"},
		"nothing before its beginning":     {"{spec: {rules: [1]}}", []any{"spec", "rules", -1}, "{spec: {rules: [1]}}"},
		"nothing in another shape":         {"{spec: {rules: {a: 1}, selector: [1]}}", []any{"spec", "selector", "hash"}, "{spec: {rules: {a: 1}, selector: [1]}}"},
		"no place in a map":                {"{spec: {selector: {a: 1}}}", []any{"spec", "selector", 0}, "{spec: {selector: {a: 1}}}"},
		"nothing by a step of no sense":    {"{spec: {selector: {a: 1}}}", []any{"spec", 1.5}, "{spec: {selector: {a: 1}}}"},
	} {
		t.Run(name, func(t *testing.T) {
			said := decode(t, test.said)
			before := said.DeepCopy()
			f := Of(said, decode(t, live))
			f.Keep("kept", test.path...)
			for range 2 {
				if d := cmp.Diff(decode(t, test.want).Object, f.Merge().Object); d != "" {
					t.Error(d)
				}
			}
			if d := cmp.Diff(before, said); d != "" {
				t.Errorf("what git says was changed: %s", d)
			}
		})
	}
}

func TestWhatIsLeftAndWhatIsKeptGoTogether(t *testing.T) {
	f := Of(decode(t, "{spec: {selector: {app: new}, replicas: 1}}"), decode(t, "{spec: {selector: {app: old, hash: abc}, replicas: 2}}"))
	f.Keep("abc", "spec", "selector", "hash")
	f.Leave("spec", "replicas")
	if d := cmp.Diff(decode(t, "{spec: {selector: {app: new, hash: abc}, replicas: 2}}").Object, f.Merge().Object); d != "" {
		t.Error(d)
	}
}
