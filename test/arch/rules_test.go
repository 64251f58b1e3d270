package arch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree writes files and loads them.
func tree(t *testing.T, files map[string]string) []File {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	loaded, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func TestARuleFindsWhatItForbids(t *testing.T) {
	long := strings.Repeat("//\n", fileLines) + "package x\n"
	for name, c := range map[string]struct {
		rule       func([]File) []string
		file, text string
		want       string // in the one fault; "" for none
	}{
		"a face imports core":                    {Floors, "internal/invoke/a.go", `import "slipway/internal/fetch"`, ""},
		"core imports an adapter":                {Floors, "internal/fetch/a.go", `import "slipway/internal/git/source"`, "no adapter"},
		"core imports a face":                    {Floors, "internal/fetch/a.go", `import "slipway/internal/invoke"`, "faces is above core"},
		"core imports vocabulary":                {Floors, "internal/fetch/a.go", `import "slipway/internal/app"`, ""},
		"core imports core":                      {Floors, "internal/fetch/a.go", `import "slipway/internal/deploy"`, "core do not import each other"},
		"deploy imports appset":                  {Floors, "internal/deploy/a.go", `import "slipway/internal/appset"`, ""},
		"an adapter imports another":             {Floors, "internal/render/a.go", `import "slipway/internal/kube"`, "adapters do not import each other"},
		"an engine imports its interface":        {Floors, "internal/state/bolt/a.go", `import "slipway/internal/state"`, ""},
		"an adapter's test imports another":      {Floors, "internal/render/a_test.go", `import "slipway/internal/kube"`, ""},
		"an adapter imports core":                {Floors, "internal/kube/a.go", `import "slipway/internal/deploy"`, "core is above adapters"},
		"vocabulary imports vocabulary":          {Floors, "internal/app/a.go", `import "slipway/internal/manifest"`, ""},
		"vocabulary imports an adapter":          {Floors, "internal/app/a.go", `import "slipway/internal/state"`, "adapters is above vocabulary"},
		"a package has no floor":                 {Floors, "internal/helpers/a.go", ``, "on no floor"},
		"a build tag hides an import":            {Floors, "internal/render/a_windows.go", `import "slipway/internal/kube"`, "do not import"},
		"the product imports a test's package":   {Floors, "internal/kube/a.go", `import "slipway/test/cluster"`, "only tests"},
		"helm at home":                           {Homes, "internal/render/a.go", `import "helm.sh/helm/v3/pkg/engine"`, ""},
		"helm elsewhere":                         {Homes, "internal/cli/a.go", `import "helm.sh/helm/v3/pkg/engine"`, "one SDK, one home"},
		"strvals at helm's home":                 {Homes, "internal/render/a.go", `import "helm.sh/helm/v3/pkg/strvals"`, "R11"},
		"client-go in a cli":                     {Homes, "internal/cli/a.go", `import "k8s.io/client-go/rest"`, "internal/kube"},
		"client-go in a test":                    {Homes, "internal/cli/a_test.go", `import "k8s.io/client-go/rest"`, ""},
		"AWS in the one file of kube":            {Homes, "internal/kube/token.go", `import "github.com/aws/aws-sdk-go-v2/aws"`, ""},
		"AWS in another file of kube":            {Homes, "internal/kube/list.go", `import "github.com/aws/aws-sdk-go-v2/aws"`, "one SDK"},
		"go-git anywhere":                        {Homes, "internal/git/source/a.go", `import "github.com/go-git/go-git/v5"`, "S8"},
		"a program run by core":                  {Homes, "internal/deploy/a.go", `import "os/exec"`, "R7"},
		"a program run by the renderer":          {Homes, "internal/render/a.go", `import "os/exec"`, ""},
		"vocabulary imports apimachinery":        {Words, "internal/manifest/a.go", `import "k8s.io/apimachinery/pkg/runtime"`, ""},
		"k8s.io/api is not k8s.io/apiserver":     {Words, "internal/manifest/a.go", `import "k8s.io/apiserver/pkg/server"`, "vocabulary speaks"},
		"app reads YAML nodes":                   {Words, "internal/app/a.go", `import "go.yaml.in/yaml/v3"`, ""},
		"health reads YAML nodes":                {Words, "internal/health/a.go", `import "go.yaml.in/yaml/v3"`, "vocabulary speaks"},
		"ownership imports more than machinery":  {Words, "internal/ownership/a.go", `import "sigs.k8s.io/yaml"`, "vocabulary speaks"},
		"ground imports others":                  {Words, "internal/fault/a.go", `import "golang.org/x/sync/errgroup"`, "ground speaks"},
		"a file of 401 lines":                    {Sizes, "internal/app/a.go", long, "401 lines, 400"},
		"a test of 401 lines":                    {Sizes, "internal/app/a_test.go", long, "401 lines, 400"},
		"a main of 61 lines":                     {Sizes, "functions/sync/main.go", strings.Repeat("//\n", mainLines) + "package main\n", "61 lines, 60"},
		"a package without a comment":            {Comments, "internal/app/a.go", ``, "internal/app: no package comment"},
		"a package with one":                     {Comments, "internal/app/a.go", "// Package x is.\npackage x\n", ""},
		"a file made from a repository":          {Calls, "internal/git/bundle/a.go", "import \"os\"\nfunc f() { os.WriteFile(\"\", nil, 0) }", "S1"},
		"a file made under another name":         {Calls, "internal/render/a.go", "import fs \"os\"\nvar f = fs.Create", "S1"},
		"a file made by state":                   {Calls, "internal/state/bolt/a.go", "import \"os\"\nvar f = os.Create", ""},
		"an engine with a cluster":               {Calls, "internal/render/a.go", "import \"helm.sh/helm/v3/pkg/engine\"\nvar e = engine.New(nil)", "R4"},
		"an engine without one":                  {Calls, "internal/render/a.go", "import \"helm.sh/helm/v3/pkg/engine\"\nvar e = engine.Engine{}", ""},
		"a request without a deadline":           {Calls, "internal/cli/a.go", "import \"net/http\"\nfunc f() { http.Get(\"\") }", "deadline"},
		"a nested module keeps its own rules":    {Homes, "test/devkube/a.go", `import "k8s.io/kubernetes/cmd"`, ""},
		"a hidden directory is not ours":         {Sizes, ".cache/a.go", long, ""},
		"testdata is not compiled":               {Sizes, "internal/app/testdata/a.go", long, ""},
		"a nested module's files are short, too": {Sizes, "test/devkube/a.go", long, "401 lines"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(c.text, "package ") {
				c.text = "package x\n" + c.text
			}
			files := map[string]string{c.file: c.text}
			if strings.HasPrefix(c.file, "test/devkube/") {
				files["test/devkube/go.mod"] = "module devkube\n"
			}
			got := c.rule(tree(t, files))
			if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
				t.Errorf("faults %q, want %q", got, c.want)
			}
		})
	}
}

func TestAFileThatDoesNotParseIsAnErrorWithItsPlace(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "a.go"), []byte("package x\nfunc {"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(root); err == nil || !strings.Contains(err.Error(), "a.go:2") {
		t.Fatal(err)
	}
}
