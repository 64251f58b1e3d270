package arch

import (
	"fmt"
	"strings"
)

// sdk is a library and the only packages, or single files, that may import it. No homes: nobody may.
type sdk struct {
	prefix string
	homes  []string
	why    string
}

var sdks = []sdk{
	{"helm.sh/helm/v3/pkg/strvals", nil, "values are YAML only (security R11: CVE-2022-36055)"},
	{"github.com/go-git", nil, "archives by SHA from the host's API (security S8)"},
	{"gopkg.in/src-d/go-git.v4", nil, "archives by SHA from the host's API (security S8)"},
	{"github.com/argoproj/gitops-engine", nil, "a test oracle at most"},
	{"github.com/argoproj/argo-cd", nil, "a test oracle at most"},
	{"helm.sh/helm", []string{"internal/render"}, "one SDK, one home"},
	{"sigs.k8s.io/kustomize", []string{"internal/render"}, "one SDK, one home"},
	{"k8s.io/client-go", []string{"internal/kube"}, "one SDK, one home"},
	{"k8s.io/kubernetes", nil, "test/devkube alone, a module of its own"},
	{"github.com/aws/aws-sdk-go-v2", []string{
		"internal/state/dynamo", "internal/queue/sqs", "internal/workflow/states", "internal/config", "internal/metrics",
		"internal/kube/token.go",
	}, "one SDK, one home"},
	{"github.com/aws/aws-lambda-go", []string{"internal/invoke", "functions"}, "events come in there"},
	{"github.com/google/go-github", []string{"internal/git/source"}, "one SDK, one home"},
	{"github.com/prometheus", []string{"internal/metrics"}, "one SDK, one home"},
	{"go.etcd.io/bbolt", []string{"internal/state/bolt"}, "one SDK, one home"},
	{"github.com/itchyny/gojq", []string{"internal/app", "internal/ignore"}, "only what is known to end, and to make no values, is run"},
	{"github.com/spf13/cobra", []string{"internal/cli"}, "commands are there"},
	// R7: a chart or a repository must never decide what is run.
	{"os/exec", []string{"internal/render", "internal/local"}, "security R7: no program is run but our own"},
	{"plugin", nil, "security R7"},
}

// Homes reports imports of an SDK outside its home. Tests may use SDKs to look at what the product did.
func Homes(files []File) []string {
	var out []string
	for _, f := range files {
		if f.Nested || f.Test() || under(f.Package, "test") {
			continue
		}
		for _, imp := range f.Imports() {
			for _, s := range sdks {
				if !imports(imp, s.prefix) {
					continue
				}
				if !underAny(f.Package, s.homes) && !underAny(f.Path, s.homes) {
					out = append(out, fmt.Sprintf("%s: imports %s: %s; homes: %v", f.Path, imp, s.why, s.homes))
				}
				break // the first entry that fits decides
			}
		}
	}
	return out
}

// imports says whether imp is prefix or below it; a prefix's major versions are below it too (go-git/v5).
func imports(imp, prefix string) bool { return imp == prefix || strings.HasPrefix(imp, prefix+"/") }

// words is what ground and vocabulary may import from others: data and its encoding, nothing that does anything.
var words = []string{
	"k8s.io/apimachinery", "k8s.io/api", "github.com/argoproj/argo-rollouts/pkg/apis", "sigs.k8s.io/yaml",
}

// extra is what a package of the vocabulary may import beside words.
var extra = map[string][]string{
	"internal/app":      {"go.yaml.in/yaml/v3", "github.com/itchyny/gojq"}, // nodes with line numbers; a bad expression is refused by its path
	"internal/manifest": {"go.yaml.in/yaml/v3"},                            // the same, and duplicate keys
}

// Words reports what ground and vocabulary import beyond the standard library and words.
func Words(files []File) []string {
	var out []string
	for _, f := range files {
		h := home(f.Package)
		if f.Nested || f.Test() || h == "" || plan[h] > vocabulary {
			continue
		}
		allowed := words
		switch {
		case plan[h] == ground:
			allowed = nil
		case h == "internal/ownership":
			allowed = []string{"k8s.io/apimachinery"}
		}
		for _, imp := range f.Imports() {
			first, _, _ := strings.Cut(imp, "/")
			if strings.Contains(first, ".") && imp != "." && !underAny(imp, allowed) && !underAny(imp, extra[h]) {
				out = append(out, fmt.Sprintf("%s: imports %s: %s speaks in %v only", f.Path, imp, floorNames[plan[h]], allowed))
			}
		}
	}
	return out
}
