package manifest

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// read is the objects of YAML text.
func read(t testing.TB, text string) []Object {
	t.Helper()
	objs, err := ParseYAML("f.yaml", []byte(text))
	if err != nil {
		t.Fatalf("parse: %v\n%s", err, text)
	}
	return objs
}

func one(t testing.TB, text string) Object {
	t.Helper()
	objs := read(t, text)
	if len(objs) != 1 {
		t.Fatalf("%d objects in %s", len(objs), text)
	}
	return objs[0]
}

// obj is an object from "apps/v1 Deployment shop/web" or "v1 Namespace shop".
func obj(s string) Object {
	f := strings.Fields(s)
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": f[0], "kind": f[1]}}
	namespace, name, ok := strings.Cut(f[2], "/")
	if !ok {
		namespace, name = "", f[2]
	}
	if namespace != "" {
		u.SetNamespace(namespace)
	}
	u.SetName(name)
	return Object{Unstructured: u, File: "f.yaml"}
}

func ids(objs []Object) []string {
	out := make([]string, len(objs))
	for i, o := range objs {
		out[i] = o.ID().String()
	}
	return out
}
