package ownership

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func raw(s string) *metav1.FieldsV1 { return metav1.NewFieldsV1(s) }

func members(t tree) map[string]bool {
	m := map[string]bool{}
	t.walk(nil, func(path []string) { m[strings.Join(path, "/")] = true })
	return m
}

func TestPathsReadLikeThePathsThatPeopleWrite(t *testing.T) {
	for _, tt := range []struct{ name, fields, want string }{
		{"a container's image", `{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"app\"}":{"f:image":{}}}}}}}`, `.spec.template.spec.containers[name="app"].image`},
		{"a port has two keys", `{"f:ports":{"k:{\"protocol\":\"TCP\",\"containerPort\":8080}":{}}}`, `.ports[containerPort=8080,protocol="TCP"]`},
		{"a label with dots", `{"f:metadata":{"f:labels":{"f:slipway.dev/application":{}}}}`, `.metadata.labels["slipway.dev/application"]`},
		{"an item of a set", `{"f:metadata":{"f:finalizers":{"v:\"a/b\"":{}}}}`, `.metadata.finalizers["a/b"]`},
		{"an item by place", `{"f:args":{"i:1":{}}}`, `.args[1]`},
		{"a map itself", `{"f:a":{".":{},"f:b":{}}}`, ".a\n.a.b"},
		{"a path to something is not in the set", `{"f:a":{"f:b":{}}}`, ".a.b"},
		{"nothing", `{}`, ""},
		{"no JSON", `{"f:a"`, ""},
		{"no object", `["f:a"]`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, strings.Join(Paths(raw(tt.fields)), "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := Paths(nil); got != nil {
		t.Errorf("no fields: %q", got)
	}
}

func TestAUnionHoldsWhatIsInEitherSet(t *testing.T) {
	for _, tt := range []struct{ name, a, b, want string }{
		{"apart", `{"f:a":{}}`, `{"f:b":{}}`, `{"f:a":{},"f:b":{}}`},
		{"equal", `{"f:a":{"f:b":{}}}`, `{"f:a":{"f:b":{}}}`, `{"f:a":{"f:b":{}}}`},
		{"a leaf meets a map", `{"f:a":{}}`, `{"f:a":{"f:b":{}}}`, `{"f:a":{".":{},"f:b":{}}}`},
		{"a map meets a leaf", `{"f:a":{"f:b":{}}}`, `{"f:a":{}}`, `{"f:a":{".":{},"f:b":{}}}`},
		{"dots", `{"f:a":{".":{},"f:b":{}}}`, `{"f:a":{".":{}}}`, `{"f:a":{".":{},"f:b":{}}}`},
		{"with nothing", `{}`, `{"f:a":{"f:b":{}}}`, `{"f:a":{"f:b":{}}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := parse(raw(tt.a))
			a.union(parse(raw(tt.b)))
			if diff := cmp.Diff(tt.want, string(a.encode())); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// random is a set as an API server could have written it.
func random(r *rand.Rand, depth int) tree {
	t := tree{}
	for range r.IntN(4) {
		c := tree{}
		if depth > 0 {
			c = random(r, depth-1)
		}
		if len(c) > 0 && r.IntN(2) == 0 {
			c[itself] = tree{}
		}
		t["f:"+string(rune('a'+r.IntN(4)))] = c
	}
	return t
}

func TestUnionsOfRandomSetsAreUnions(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		a, b := random(r, 3), random(r, 3)
		want := members(a)
		maps.Copy(want, members(b))
		beforeB := string(b.encode())
		u := a.clone()
		u.union(b)
		if diff := cmp.Diff(want, members(u)); diff != "" {
			t.Fatalf("%s and %s: %s", a.encode(), b.encode(), diff)
		}
		for path := range want {
			if !u.has(strings.Split(path, "/")...) {
				t.Fatalf("%s is not in %s", path, u.encode())
			}
		}
		for k := range u {
			u[k]["f:later"] = tree{}
		}
		if string(b.encode()) != beforeB {
			t.Fatal("a union shares maps with what went into it")
		}
	}
}

func FuzzPaths(f *testing.F) {
	for _, s := range []string{`{"f:a":{".":{}}}`, `{"k:{\"name\":\"x\"}":{}}`, `{"k:{":{},"v:":{},":":{},"":{}}`, `[]`, `{"f:a":null}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tr := parse(raw(s))
		again := parse(raw(string(tr.encode())))
		if diff := cmp.Diff(slices.Sorted(maps.Keys(members(tr))), slices.Sorted(maps.Keys(members(again)))); diff != "" {
			t.Errorf("%q is another set once encoded: %s", s, diff)
		}
		if !json.Valid(tr.encode()) {
			t.Errorf("%q encodes to %s", s, tr.encode())
		}
		Paths(raw(s))
	})
}
