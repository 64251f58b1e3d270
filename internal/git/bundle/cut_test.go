package bundle

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/app"
	"slipway/internal/fault"
)

func TestEachApplicationGetsItsPathAndItsValueFiles(t *testing.T) {
	archive := pack(t,
		file("README.md", "hello"),
		file("apps/", ""), file("apps/a/", ""),
		file("apps/a/Chart.yaml", "name: a"),
		file("apps/a/templates/x.yaml", "x: 1"),
		file("apps/ab/Chart.yaml", "name: ab"),
		file("apps/b/Chart.yaml", "name: b"),
		file("common/one.yaml", "one: 1"),
		file("common/two.yaml", "two: 2"),
		file("common/deep/three.yaml", "three: 3"),
		file("env/a-prod.yaml", "prod: 1"),
	)
	apps := []app.Application{
		at("a", "apps/a", "/common/one.yaml", "../../env/$ARGOCD_APP_NAME-prod.yaml"),
		at("ab", "apps/ab"),
		at("b", "apps/b", "/common/**/*.yaml"),
		at("all", "."),
		at("outer", "apps"),
	}
	got, err := Cut(t.Context(), bytes.NewReader(archive), sha, apps, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[app.Name][]string{
		"argocd/a":     {"apps/a/Chart.yaml", "apps/a/templates/x.yaml", "common/one.yaml", "env/a-prod.yaml"},
		"argocd/ab":    {"apps/ab/Chart.yaml"},
		"argocd/b":     {"apps/b/Chart.yaml", "common/deep/three.yaml", "common/one.yaml", "common/two.yaml"},
		"argocd/outer": {"apps/a/Chart.yaml", "apps/a/templates/x.yaml", "apps/ab/Chart.yaml", "apps/b/Chart.yaml"},
		"argocd/all": {"README.md", "apps/a/Chart.yaml", "apps/a/templates/x.yaml", "apps/ab/Chart.yaml", "apps/b/Chart.yaml",
			"common/deep/three.yaml", "common/one.yaml", "common/two.yaml", "env/a-prod.yaml"},
	} {
		r := got[name]
		if r.Err != nil {
			t.Errorf("%s: %v", name, r.Err)
		}
		if d := cmp.Diff(want, slices.Sorted(maps.Keys(r.Inputs.Files))); d != "" {
			t.Errorf("%s: files (-want +got)\n%s", name, d)
		}
		if r.Inputs.Application.Key() != name {
			t.Errorf("%s: inputs are of %s", name, r.Inputs.Application.Key())
		}
	}
	if s := string(got["argocd/a"].Inputs.Files["common/one.yaml"]); s != "one: 1" {
		t.Errorf("content %q", s)
	}
	if &got["argocd/a"].Inputs.Files["common/one.yaml"][0] != &got["argocd/b"].Inputs.Files["common/one.yaml"][0] {
		t.Error("a file of two applications is held twice")
	}
}

func TestOneApplicationIsRefusedAndTheOthersAreNot(t *testing.T) {
	big := strings.Repeat("x", 2000)
	archive := pack(t,
		file(".gitmodules", "[submodule \"lib\"]\n\tpath = apps/sub/lib\n\turl = https://example.com/lib\n[submodule \"values\"]\n\tpath = \"shared values\"\n"),
		file("apps/good/a.yaml", "a: 1"),
		file("apps/big/a.yaml", big),
		file("apps/lfs/a.yaml", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"),
		file("apps/heavy/a.yaml", strings.Repeat("a", 900)), file("apps/heavy/b.yaml", strings.Repeat("b", 900)),
		file("apps/many/1", ""), file("apps/many/2", ""), file("apps/many/3", ""), file("apps/many/4", ""),
		file("apps/sub/a.yaml", "a: 1"), file("apps/sub/lib/", ""),
		file("unused/big.bin", big), file("unused/Icon\r", ""),
		file("apps/odd/a\x1b[2J.yaml", "a: 1"), file("apps/comment/a\u0085b: c.yaml", "a: 1"),
	)
	lenient := at("lenient", "apps/good", "missing.yaml", "none/*.yaml")
	lenient.Source.Helm.IgnoreMissingValueFiles = true
	apps := []app.Application{
		at("good", "apps/good"), lenient,
		at("nowhere", "apps/nowhere"), at("prefix", "apps/goo"), at("onefile", "apps/good/a.yaml"), at("escape", "../x"), at("absolute", "/apps"), at("empty", ""),
		at("big", "apps/big"), at("lfs", "apps/lfs"), at("heavy", "apps/heavy"), at("many", "apps/many"), at("sub", "apps/sub"), at("odd", "apps/odd"), at("comment", "apps/comment"), at("insub", "apps/sub/lib/chart"),
		at("value", "apps/good", "values-prod.yaml"), at("glob", "apps/good", "/none/*.yaml"), at("pattern", "apps/good", "[a"),
		at("outside", "apps/good", "../../../etc/passwd"), at("url", "apps/good", "https://example.com/v.yaml"),
		at("bigvalue", "apps/good", "/apps/big/a.yaml"), at("subvalue", "apps/good", "/shared values/v.yaml"),
	}
	got, err := Cut(t.Context(), bytes.NewReader(archive), sha, apps, Limits{FileBytes: 1000, AppBytes: 1500, AppFiles: 3})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[app.Name]string{
		"argocd/good": "", "argocd/lenient": "",
		"argocd/nowhere":  "cut inputs of argocd/nowhere at 1a2b3c4: apps/nowhere: no such directory at 1a2b3c4",
		"argocd/prefix":   "apps/goo: no such directory",
		"argocd/onefile":  "apps/good/a.yaml: no such directory",
		"argocd/escape":   `path "../x": want a clean path`,
		"argocd/absolute": `path "/apps": want a clean path`,
		"argocd/empty":    `path "": want a clean path`,
		"argocd/big":      "apps/big/a.yaml has 2000 bytes, at most 1000 are allowed",
		"argocd/lfs":      "apps/lfs/a.yaml is a Git LFS pointer",
		"argocd/heavy":    "more than 1500 bytes",
		"argocd/many":     "more than 3 files",
		"argocd/odd":      `"apps/odd/a\x1b[2J.yaml": the name holds control characters`,
		"argocd/comment":  "the name holds control characters",
		"argocd/sub":      "apps/sub: apps/sub/lib is a git submodule",
		"argocd/insub":    "apps/sub/lib/chart: apps/sub/lib is a git submodule",
		"argocd/value":    `spec.source.helm.valueFiles[0] "values-prod.yaml": no such file in the repository: apps/good/values-prod.yaml`,
		"argocd/glob":     `spec.source.helm.valueFiles[0] "/none/*.yaml": no such file in the repository: none/*.yaml`,
		"argocd/pattern":  `valueFiles[0] "[a": is not a pattern`,
		"argocd/outside":  "is outside of the repository",
		"argocd/url":      "is a URL",
		"argocd/bigvalue": "apps/big/a.yaml has 2000 bytes",
		"argocd/subvalue": "shared values is a git submodule",
	} {
		r, ok := got[name]
		switch {
		case !ok:
			t.Errorf("%s: no result", name)
		case want == "" && (r.Err != nil || len(r.Inputs.Files) == 0):
			t.Errorf("%s: %d files, %v", name, len(r.Inputs.Files), r.Err)
		case want != "" && (!fault.Is(r.Err, fault.Invalid) || !strings.Contains(r.Err.Error(), want) || r.Inputs.Files != nil):
			t.Errorf("%s: %d files, %v\nwant %s", name, len(r.Inputs.Files), r.Err, want)
		}
	}
}

func TestTheLargestApplicationGivesWayWhenAllNeedTooMuch(t *testing.T) {
	archive := pack(t,
		file("a/1", strings.Repeat("a", 400)), file("b/1", strings.Repeat("b", 500)), file("b/2", strings.Repeat("b", 500)),
		file("c/1", strings.Repeat("c", 300)), file("d/1", strings.Repeat("d", 100)),
	)
	apps := []app.Application{at("a", "a"), at("b", "b"), at("c", "c"), at("d", "d"), at("a2", "a")}
	got, err := Cut(t.Context(), bytes.NewReader(archive), sha, apps, Limits{HeldBytes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range got {
		if refused := r.Err != nil; refused != (name == "argocd/b") {
			t.Errorf("%s: %v", name, r.Err)
		}
	}
}
