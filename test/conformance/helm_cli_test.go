//go:build cluster

package conformance

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"slipway/internal/app"
)

// target is the cluster that both render for.
var target = app.Target{KubeVersion: "v1.36.3-eks-1a2b3c4", APIVersions: []string{"apps/v1", "apps/v1/Deployment", "example.com/v1", "example.com/v1/Widget"}}

// helmBinary is Helm's own program. It is built when it is missing; when that does not work the test fails.
var helmBinary = sync.OnceValues(func() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "helm.sh")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	text := strings.TrimSpace(string(out))
	return text[strings.LastIndexByte(text, '\n')+1:], err
})

// runHelm runs helm in dir, without a cluster and without the settings of whoever runs the tests.
func runHelm(t *testing.T, dir string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	bin, err := helmBinary()
	if err != nil {
		t.Fatalf("build helm: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	home := t.TempDir()
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + home, "KUBECONFIG=" + filepath.Join(home, "none")}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("helm %s: %v", strings.Join(args, " "), ctx.Err())
	}
	return out.String(), errs.String(), err
}

// helmBlock is spec.source.helm as far as helm template is concerned. It is read apart from the product's decoder.
type helmBlock struct {
	ReleaseName string         `json:"releaseName"`
	Namespace   string         `json:"namespace"`
	KubeVersion string         `json:"kubeVersion"`
	APIVersions []string       `json:"apiVersions"`
	ValueFiles  []string       `json:"valueFiles"`
	Values      string         `json:"values"`
	Object      map[string]any `json:"valuesObject"`
	Parameters  []struct {
		Name, Value string
		ForceString bool
	} `json:"parameters"`
	SkipCRDs             bool `json:"skipCrds"`
	SkipSchemaValidation bool `json:"skipSchemaValidation"`
	SkipTests            bool `json:"skipTests"`
}

// templateArgs is the command line with which Argo CD renders an Application (argo-cd util/helm/cmd.go template,
// reposerver/repository/repository.go helmTemplate; argo-cd.md 2.1.1 to 2.1.6).
func templateArgs(t *testing.T, v variant) []string {
	t.Helper()
	var h helmBlock
	if err := yaml.UnmarshalStrict([]byte(v.helm), &h); err != nil {
		t.Fatal(err)
	}
	or := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	env := strings.NewReplacer("$ARGOCD_APP_NAMESPACE", "production", "$ARGOCD_APP_NAME", "web", "$$", "$")
	kube, _, _ := strings.Cut(or(h.KubeVersion, target.KubeVersion), "-") // ParseGeneric drops a vendor's suffix
	args := []string{"template", ".", "--name-template", or(h.ReleaseName, "web"), "--namespace", or(h.Namespace, "production"), "--kube-version", kube}
	set := map[string]map[string]string{"--set": {}, "--set-string": {}} // the last of one name wins
	for _, p := range h.Parameters {
		flag := "--set"
		if p.ForceString {
			flag = "--set-string"
		}
		set[flag][p.Name] = env.Replace(p.Value)
	}
	for flag, values := range set {
		for name, value := range values {
			args = append(args, flag, name+"="+oneValue(value))
		}
	}
	for _, f := range h.ValueFiles {
		if rooted, ok := strings.CutPrefix(f, "/"); ok {
			f = "../../" + rooted
		}
		args = append(args, "--values", env.Replace(f))
	}
	if h.Object != nil || h.Values != "" {
		text := []byte(h.Values)
		if h.Object != nil {
			var err error
			if text, err = yaml.Marshal(h.Object); err != nil {
				t.Fatal(err)
			}
		}
		file := filepath.Join(t.TempDir(), "values.yaml")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--values", file)
	}
	versions := h.APIVersions
	if len(versions) == 0 {
		versions = target.APIVersions
	}
	for _, v := range versions {
		args = append(args, "--api-versions", v)
	}
	for flag, on := range map[string]bool{"--include-crds": !h.SkipCRDs, "--skip-schema-validation": h.SkipSchemaValidation, "--skip-tests": h.SkipTests} {
		if on {
			args = append(args, flag)
		}
	}
	return args
}

// oneValue escapes each comma that is not escaped yet, unless the value is a list (argo-cd util/helm/cmd.go
// cleanSetParameters).
func oneValue(s string) string {
	if strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}") {
		return s
	}
	var b strings.Builder
	var before rune
	for _, r := range s {
		if r == ',' && before != '\\' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
		before = r
	}
	return b.String()
}
