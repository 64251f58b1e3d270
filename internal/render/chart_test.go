package render

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"slipway/internal/app"
	"slipway/internal/fault"
)

// archive is a chart as helm package makes it.
func archive(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	w := tar.NewWriter(z)
	for _, name := range sortedKeys(files) {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(files[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if w.Close() != nil || z.Close() != nil {
		t.Fatal("archive is not closed")
	}
	return buf.Bytes()
}

func TestAVendoredArchiveIsASubchart(t *testing.T) {
	in := chartWith(fmt.Sprintf(configMap, "1"), "redis: {port: 7000}")
	in.Files["apps/web/Chart.yaml"] = []byte("apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies: [{name: redis, version: 1.x, repository: 'https://charts.example.com'}]\n")
	in.Files["apps/web/charts/redis-1.2.3.tgz"] = archive(t, map[string]string{
		"redis/Chart.yaml":       "apiVersion: v2\nname: redis\nversion: 1.2.3\n",
		"redis/values.yaml":      "port: 6379\n",
		"redis/templates/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: redis}\ndata: {port: {{ .Values.port | quote }}}\n",
		"redis/crds/crd.yaml":    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.example.com}\n",
	})
	r, err := New(Options{}).Render(t.Context(), in, target)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range r.Objects {
		got = append(got, o.File+" "+o.ID().String())
	}
	want := []string{
		"apps/web/charts/redis/crds/crd.yaml CustomResourceDefinition.apiextensions.k8s.io a.example.com",
		"apps/web/charts/redis/templates/x.yaml ConfigMap redis",
		"apps/web/templates/object.yaml ConfigMap x",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || len(r.Warnings) > 0 {
		t.Errorf("got  %q %q\nwant %q", got, r.Warnings, want)
	}
}

func TestAHostileArchiveFailsItsApplication(t *testing.T) {
	for name, data := range map[string][]byte{
		"no archive": []byte("hello"),
		"empty":      archive(t, nil),
		"no chart":   archive(t, map[string]string{"redis/values.yaml": ""}),
		"outside":    archive(t, map[string]string{"redis/../../x": "", "redis/Chart.yaml": "name: redis\nversion: 1.0.0\n"}),
		"dots":       archive(t, map[string]string{"redis/Chart.yaml": "name: ..\nversion: 1.0.0\n"}),
		"a bomb":     archive(t, map[string]string{"redis/Chart.yaml": "name: redis\nversion: 1.0.0\n", "redis/x": strings.Repeat("0", 6<<20)}),
	} {
		in := chartWith(fmt.Sprintf(configMap, "1"), "")
		in.Files["apps/web/charts/redis-1.0.0.tgz"] = data
		if _, err := InProcess(in, target); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v: %v", name, fault.Of(err), err)
		}
	}
}

// TestTheOrderOfSubchartsDoesNotChange: Helm's loader keeps them in a map.
func TestTheOrderOfSubchartsDoesNotChange(t *testing.T) {
	in := chartWith("", "")
	for _, sub := range []string{"a", "b", "c", "d", "e"} {
		in.Files["apps/web/charts/"+sub+"/Chart.yaml"] = []byte("name: " + sub + "\nversion: 1.0.0\n")
		in.Files["apps/web/charts/"+sub+"/crds/crd.yaml"] = []byte("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: " + sub + "}\n")
	}
	for range 20 {
		r, err := InProcess(in, target)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, o := range r.Objects {
			got.WriteString(o.GetName())
		}
		if got.String() != "abcde" {
			t.Fatalf("order is %s", got.String())
		}
	}
}

func TestInputsStayAsTheyAre(t *testing.T) {
	in := chartWith(`{{ $_ := set .Values "a" "changed" }}`, "a: 1")
	in.Application.Source.Helm = &app.Helm{Values: "b: 2"}
	before, err := in.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := InProcess(in, target); err != nil {
		t.Fatal(err)
	}
	after, err := in.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, after) {
		t.Error("rendering has changed the inputs")
	}
}
