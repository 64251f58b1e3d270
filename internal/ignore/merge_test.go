package ignore_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"slipway/internal/app"
	"slipway/internal/fault"
	. "slipway/internal/ignore"
	"slipway/internal/ownership"
)

func decode(t testing.TB, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
		t.Fatal(err)
	}
	return u
}

// owned is an object with managed fields: by manager, fieldsV1. "slipway" is our Apply entry.
func owned(t testing.TB, text string, fields map[string]string) *unstructured.Unstructured {
	t.Helper()
	u := decode(t, text)
	var entries []any
	for manager, f := range fields {
		operation := "Update"
		if manager == "slipway" {
			operation = "Apply"
		}
		var v map[string]any
		if err := yaml.Unmarshal([]byte(f), &v); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, map[string]any{"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": v})
	}
	if err := unstructured.SetNestedSlice(u.Object, entries, "metadata", "managedFields"); err != nil {
		t.Fatal(err)
	}
	return u
}

type merging struct {
	pointers, jq, managers []string
	git, live              string
	fields                 map[string]string
	want                   string
}

func (m merging) of(t testing.TB) (*Fields, error) {
	t.Helper()
	r, err := Compile([]app.IgnoreDifference{{Kind: "*", JSONPointers: m.pointers, JQPathExpressions: m.jq, ManagedFieldsManagers: m.managers}})
	if err != nil {
		t.Fatal(err)
	}
	return r.Of(t.Context(), decode(t, m.git), owned(t, m.live, m.fields))
}

const ourLabel = `'f:metadata': {'f:labels': {'f:slipway.dev/application': {}}}`

var (
	containersByName = map[string]string{
		"slipway": `{'f:c': {'k:{"name":"app"}': {.: {}, 'f:name': {}, 'f:image': {}, 'f:env': {'k:{"name":"A"}': {.: {}, 'f:name': {}, 'f:value': {}}}}}, ` + ourLabel + `}`,
		"sidecar": `{'f:c': {'k:{"name":"mesh"}': {.: {}, 'f:name': {}, 'f:image': {}}}}`,
	}
	oursInOnePiece = map[string]string{"slipway": `{'f:l': {}, 'f:m': {}, ` + ourLabel + `}`}
)

func TestIgnoredFieldsAreMergedAsTheyAreLive(t *testing.T) {
	for name, c := range map[string]merging{
		"nothing is ignored":                   {git: "{a: 1, b: 1}", live: "{a: 2, b: 2}", want: "{a: 1, b: 1}"},
		"a value":                              {pointers: []string{"/a"}, git: "{a: 1, b: 1}", live: "{a: 2, b: 2}", want: "{a: 2, b: 1}"},
		"a value by jq":                        {jq: []string{".a"}, git: "{a: 1, b: 1}", live: "{a: 2, b: 2}", want: "{a: 2, b: 1}"},
		"a value that is not live is not sent": {pointers: []string{"/s/a"}, git: "{s: {a: 1, b: 1}}", live: "{s: {b: 1}}", want: "{s: {b: 1}}"},
		"what git says for its sake alone is not sent either":  {pointers: []string{"/s/a"}, git: "{s: {a: 1}, b: 1}", live: "{b: 1}", want: "{b: 1}"},
		"but what is there without it stays":                   {pointers: []string{"/s/a"}, git: "{s: {a: 1}}", live: "{s: {}}", want: "{s: {}}"},
		"a value that git does not say, of others":             {pointers: []string{"/s/a"}, git: "{s: {b: 1}}", live: "{s: {a: 2, b: 1}}", fields: map[string]string{"x": "{'f:s': {'f:a': {}}}"}, want: "{s: {b: 1}}"},
		"a value that git does not say any more, of ours":      {pointers: []string{"/s/a"}, git: "{b: 1}", live: "{s: {a: 2}, b: 1}", fields: map[string]string{"slipway": "{'f:s': {'f:a': {}}, " + ourLabel + "}"}, want: "{s: {a: 2}, b: 1}"},
		"a value that kubectl applied before us":               {pointers: []string{"/s/a"}, git: "{b: 1}", live: "{s: {a: 2}, b: 1}", fields: map[string]string{"kubectl-client-side-apply": "{'f:s': {'f:a': {}}}"}, want: "{s: {a: 2}, b: 1}"},
		"a pointer with ~":                                     {pointers: []string{"/s/x.y~1z~0"}, git: `{s: {"x.y/z~": 1}}`, live: `{s: {"x.y/z~": 2}}`, want: `{s: {"x.y/z~": 2}}`},
		"a pointer past the end, into a value, not to a place": {pointers: []string{"/l/7", "/a/b", "/l/x", "/l/-", "/n/0/1"}, git: "{a: 1, l: [1]}", live: "{a: 2, l: [2]}", want: "{a: 1, l: [1]}"},
		"a null":                    {pointers: []string{"/a"}, git: "{a: null}", live: "{a: 2}", want: "{a: 2}"},
		"another type":              {pointers: []string{"/a"}, git: "{a: {b: 1}}", live: "{a: [2]}", want: "{a: [2]}"},
		"a scalar where a map was":  {pointers: []string{"/a"}, git: "{a: x}", live: "{a: {b: 1}}", want: "{a: {b: 1}}"},
		"a scalar where a list was": {pointers: []string{"/a"}, git: "{a: x}", live: "{a: [{name: b}]}", want: "{a: [{name: b}]}"},
		"below a scalar":            {pointers: []string{"/a/b"}, git: "{a: x}", live: "{a: {b: 1}}", want: "{a: x}"},
		"a field in another: the outer one counts": {pointers: []string{"/s/a", "/s", "/s/b"}, git: "{s: {a: 1, b: 1}}", live: "{s: {a: 2, b: 2}}", want: "{s: {a: 2, b: 2}}"},
		"the whole object":                         {jq: []string{"."}, git: "{a: 1, b: 1}", live: "{a: 2, z: 1}", want: "{a: 2}"},
		"a map: what git says of it, and no more": {
			pointers: []string{"/s"}, git: "{s: {a: 1, gone: 1}}", live: "{s: {a: 2, theirs: 1, default: 1, once: 3}}",
			fields: map[string]string{"slipway": "{'f:s': {'f:a': {}, 'f:once': {}}, " + ourLabel + "}", "x": "{'f:s': {'f:theirs': {}}}"}, want: "{s: {a: 2, once: 3}}",
		},
		"a map in one piece is sent as it is":  {pointers: []string{"/m"}, git: "{m: {a: 1}}", live: "{m: {a: 2, b: 1}}", fields: oursInOnePiece, want: "{m: {a: 2, b: 1}}"},
		"a field of a map in one piece":        {pointers: []string{"/m/b"}, git: "{m: {a: 1}}", live: "{m: {a: 2, b: 1}}", fields: map[string]string{"x": "{'f:m': {}}"}, want: "{m: {a: 1}}"},
		"a list in one piece is sent as it is": {pointers: []string{"/l"}, git: "{l: [1, 2]}", live: "{l: [2, 3]}", fields: oursInOnePiece, want: "{l: [2, 3]}"},
		"an item of a list in one piece goes by its place": {
			pointers: []string{"/l/1/w"}, git: "{l: [{name: a, w: 1}, {name: b, w: 1}]}", live: "{l: [{name: b, w: 5}, {name: a, w: 7}]}",
			fields: oursInOnePiece, want: "{l: [{name: a, w: 1}, {name: b, w: 7}]}",
		},
		"an item of a list in one piece that is not live": {pointers: []string{"/l/0", "/l/2"}, git: "{l: [1, 2, 3]}", live: "{l: [5, 6]}", fields: oursInOnePiece, want: "{l: [5, 2]}"},
		"a list that became empty":                        {pointers: []string{"/l/0"}, git: "{l: [1]}", live: "{l: []}", fields: oursInOnePiece, want: "{l: []}"},
		"a list that is not live":                         {pointers: []string{"/l/0"}, git: "{l: [1], a: 1}", live: "{a: 1}", want: "{a: 1}"},
		"a container's image by its name": {
			jq: []string{`.c[] | select(.name == "app").image`}, git: "{c: [{name: app, image: v1}]}", live: "{c: [{name: mesh, image: m}, {name: app, image: v2}]}",
			fields: containersByName, want: "{c: [{name: app, image: v2}]}",
		},
		"a container's image by its place in git": {
			pointers: []string{"/c/0/image"}, git: "{c: [{name: app, image: v1}]}", live: "{c: [{name: mesh, image: m}, {name: app, image: v2}]}",
			fields: containersByName, want: "{c: [{name: app, image: v2}]}",
		},
		"a container that others added": {
			jq: []string{`.c[] | select(.name == "mesh")`}, git: "{c: [{name: app, image: v1}]}", live: "{c: [{name: mesh, image: m}, {name: app, image: v2}]}",
			fields: containersByName, want: "{c: [{name: app, image: v1}]}",
		},
		"a container that somebody removed": {
			jq: []string{`.c[] | select(.name == "app")`}, git: "{c: [{name: web, image: w}, {name: app, image: v1}]}", live: "{c: [{name: web, image: w}]}", want: "{c: [{name: web, image: w}]}",
		},
		"a field of a container that is not live: it is made as git says": {
			jq: []string{`.c[].image`, `.c[].env[]?.value`}, git: "{c: [{name: app, image: v1, env: [{name: A, value: x}, {name: new, value: n}]}, {name: new, image: n1, env: [{name: B, value: b}]}]}",
			live: "{c: [{name: app, image: v2, env: [{name: A, value: y}]}]}", fields: containersByName,
			want: "{c: [{name: app, image: v2, env: [{name: A, value: y}, {name: new, value: n}]}, {name: new, image: n1, env: [{name: B, value: b}]}]}",
		},
		"a container that git does not say any more, of ours": {
			jq: []string{`.c[] | select(.name == "app")`}, git: "{c: [{name: web, image: w}]}", live: "{c: [{name: app, image: v2, env: [{name: A, value: x}, {name: D}]}]}",
			fields: containersByName, want: "{c: [{name: web, image: w}, {name: app, image: v2, env: [{name: A, value: x}]}]}",
		},
		"a field of such a container comes with its key": {
			pointers: []string{"/c/0/image"}, git: "{c: []}", live: "{c: [{name: app, image: v2}]}",
			fields: containersByName, want: "{c: [{name: app, image: v2}]}",
		},
		"all containers: those of git, in the live order, without defaults": {
			pointers: []string{"/c"}, git: "{c: [{name: app, image: v1, gone: 1}]}", live: "{c: [{name: mesh, image: m}, {name: app, image: v2, default: 1, env: [{name: A, value: y}]}]}",
			fields: containersByName, want: "{c: [{name: app, image: v2, env: [{name: A, value: y}]}]}",
		},
		"a port by two keys, of which git leaves one out": {
			jq: []string{`.p[] | select(.port == 53).node`}, git: "{p: [{port: 53, node: 1}, {port: 53, protocol: UDP, node: 2}]}", live: "{p: [{port: 53, protocol: UDP, node: 20}, {port: 53, protocol: TCP, node: 10}]}",
			fields: map[string]string{"slipway": `{'f:p': {'k:{"port":53,"protocol":"TCP"}': {.: {}, 'f:port': {}, 'f:node': {}}, 'k:{"port":53,"protocol":"UDP"}': {.: {}, 'f:port': {}, 'f:protocol': {}, 'f:node': {}}}}`},
			want:   "{p: [{port: 53, node: 10}, {port: 53, protocol: UDP, node: 20}]}",
		},
		"an item of a set": {
			jq: []string{`.f[] | select(. == "b" or . == "c")`}, git: "{f: [a, b]}", live: "{f: [a, c]}",
			fields: map[string]string{"slipway": `{'f:f': {'v:"a"': {}}}`, "x": `{'f:f': {'v:"c"': {}}}`}, want: "{f: [a]}",
		},
		"all that a manager owns": {
			managers: []string{"x"}, git: "{s: {a: 1, b: 1}, c: [{name: app, image: v1, pull: p}]}", live: "{s: {a: 2, b: 2}, c: [{name: app, image: v2, pull: q}]}",
			fields: map[string]string{"x": `{'f:s': {'f:a': {}}, 'f:c': {'k:{"name":"app"}': {.: {}, 'f:image': {}}}}`, "y": "{'f:s': {'f:b': {}}}"},
			want:   "{s: {a: 2, b: 1}, c: [{name: app, image: v2, pull: p}]}",
		},
		"numbers and what is not there": {jq: []string{`.l[] | select(.w > 1000000).v`, ".none[]", ".a.b.c"}, git: "{l: [{name: x, w: 3000000, v: 1}]}", live: "{l: [{name: x, w: 3000000, v: 2}]}", want: "{l: [{name: x, w: 3000000, v: 2}]}"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := c.of(t)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(decode(t, c.want).Object, f.Merge().Object); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

func TestMergingChangesNeitherSide(t *testing.T) {
	git, live := decode(t, "{a: {b: 1}, c: [{name: x, v: 1}]}"), decode(t, "{a: {b: 2}, c: [{name: x, v: 2}]}")
	r, err := Compile([]app.IgnoreDifference{{Kind: "*", JSONPointers: []string{"/a", "/c"}}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := r.Of(t.Context(), git, live)
	if err != nil {
		t.Fatal(err)
	}
	if err := unstructured.SetNestedField(f.Merge().Object, int64(9), "a", "b"); err != nil {
		t.Fatal(err)
	}
	for u, want := range map[*unstructured.Unstructured]string{git: "{a: {b: 1}, c: [{name: x, v: 1}]}", live: "{a: {b: 2}, c: [{name: x, v: 2}]}"} {
		if d := cmp.Diff(decode(t, want).Object, u.Object); d != "" {
			t.Error(d)
		}
	}
}

func TestWhatOthersAddedIsToldButForWhatIsIgnored(t *testing.T) {
	const live = "{spec: {a: 1, notes: {x: 1, z: 1}, c: [{name: mesh, image: m}]}}"
	fields := map[string]string{
		"x": `{'f:spec': {'f:a': {}, 'f:notes': {.: {}, 'f:x': {}, 'f:z': {}}, 'f:c': {'k:{"name":"mesh"}': {.: {}, 'f:name': {}, 'f:image': {}}}}}`,
	}
	all := []string{".spec.a", `.spec.c[name="mesh"]`, ".spec.notes"}
	for name, c := range map[string]struct {
		merging
		want []string
	}{
		"nothing is ignored":             {want: all},
		"something else is":              {merging{pointers: []string{"/spec/b", "/a"}}, all},
		"a value":                        {merging{pointers: []string{"/spec/a"}}, all[1:]},
		"all above it":                   {merging{pointers: []string{"/spec"}}, nil},
		"the object":                     {merging{jq: []string{"."}}, nil},
		"a manager":                      {merging{managers: []string{"x"}}, nil},
		"another manager":                {merging{managers: []string{"y"}}, all},
		"an item":                        {merging{jq: []string{`.spec.c[] | select(.name == "mesh")`}}, []string{".spec.a", ".spec.notes"}},
		"a part of an item":              {merging{jq: []string{`.spec.c[0].image`}}, all},
		"a part of a map that was added": {merging{pointers: []string{"/spec/notes/x"}}, []string{".spec.a", `.spec.c[name="mesh"]`, ".spec.notes.z"}},
		"all of a map that was added, one by one": {merging{pointers: []string{"/spec/notes/x", "/spec/notes/z"}}, all[:2]},
	} {
		t.Run(name, func(t *testing.T) {
			c.git, c.live, c.fields = "{spec: {}}", live, fields
			f, err := c.of(t)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, o := range f.Without(ownership.Foreign(owned(t, live, fields).GetManagedFields())) {
				got = append(got, o.Path)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

func TestAnExpressionThatSelectsNoFieldsIsSaidWithoutValues(t *testing.T) {
	for x, want := range map[string]string{
		".secret | keys":  `jq expression ".secret | keys" selects no fields: it makes a new value`,
		`.. , .. | ..,..`: "",
	} {
		_, err := merging{jq: []string{x}, git: "{secret: {hunter2: x}}", live: "{secret: {hunter2: x}}"}.of(t)
		switch {
		case want == "" && err != nil:
			t.Error(err)
		case want != "" && (!fault.Is(err, fault.Invalid) || err.Error() != want):
			t.Errorf("%v, want %s", err, want)
		}
	}
}
