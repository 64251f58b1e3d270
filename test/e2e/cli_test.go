//go:build cluster

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"slipway/internal/deploy"
	"slipway/test/e2e/up"
)

func TestTheCommandLineAnswersWithZeroOneOrTwo(t *testing.T) {
	t.Parallel()
	w := given(t)
	w.declare("web", "    automated:\n      prune: true\n      selfHeal: true\n", "    syncOptions: []\n")
	w.Write(map[string]string{"web/settings.yaml": configMap("settings", "a", "b")})
	sha := w.Push("Not automated")
	w.Awaits(w.app("web"), up.Seen, "registered", func(a known) bool { return up.Wants(a, sha) })
	name := string(w.app("web"))
	short := strings.TrimPrefix(name, "argocd/")
	file := filepath.Join(w.Tree, "root", "web.yaml")
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says string // in the output, or in the error of a call that fails
	}{
		{[]string{"app", "list"}, 0, name},
		{[]string{"app", "get", short}, 0, "OutOfSync"},
		{[]string{"app", "resources", short}, 0, "Missing"},
		{[]string{"app", "diff", short}, 0, "create ConfigMap"},
		{[]string{"app", "sync", short}, 0, "Synced"},
		{[]string{"app", "sync", short}, 0, "Synced"},
		{[]string{"app", "diff", short}, 0, ""},
		{[]string{"app", "resources", short}, 0, "Synced"},
		{[]string{"app", "history", name}, 0, "applied"},
		{[]string{"app", "get", "none"}, 1, "argocd/none"},
		{[]string{"app", "sync", "none"}, 1, "argocd/none"},
		{[]string{"app", "get"}, 2, "usage"},
		{[]string{"app", "list", "-o", "xml"}, 2, "xml"},
		{[]string{"app", "list", "--nonsense"}, 2, "nonsense"},
		{[]string{"app", "delete", short}, 2, "delete"},
	} {
		out, errs, code := w.Run(c.args...)
		if c.code != 0 {
			out = errs
		}
		if code != c.code || !strings.Contains(out, c.says) || code != 0 && (errs == "" || strings.Count(errs, "\n") != 1) {
			t.Errorf("slipway %s: exit code %d, want %d with %q:\n%s%s", strings.Join(c.args, " "), code, c.code, c.says, out, errs)
		}
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"app", "list", "--dir", nowhere}, 1, "no slipway up runs there"},
		{[]string{"render", file}, 2, "--source"},
		{[]string{"render", file, "--source", w.Tree}, 0, "kind: ConfigMap"},
		{[]string{"render", nowhere, "--source", w.Tree}, 2, "nowhere"},
		{[]string{"render", bad, "--source", w.Tree}, 2, "bad.yaml:4: spec.source"},
		{[]string{"nonsense"}, 2, "nonsense"},
		{[]string{"up", "--dir", nowhere, "--root", "nonsense"}, 2, "nonsense"},
		{[]string{"up", "--dir", nowhere, "--config", bad}, 2, "bad.yaml:1"},
		{[]string{"--version"}, 0, "slipway"},
	} {
		out, errs, code := up.Run(t, c.args...)
		if c.code != 0 {
			out = errs
		}
		if code != c.code || !strings.Contains(out, c.says) {
			t.Errorf("slipway %s: exit code %d, want %d with %q:\n%s%s", strings.Join(c.args, " "), code, c.code, c.says, out, errs)
		}
	}
}

func TestWhatTheCommandLinePrintsAsJSONIsJSON(t *testing.T) {
	t.Parallel()
	w := given(t)
	w.declare("web")
	w.Write(map[string]string{"web/web.yaml": deployment("web", 1, "web:1") + "---\n" + service("web")})
	w.applied(w.Push("Deploy"), "web")
	for args, want := range map[string]string{
		"list": `"name": "` + string(w.app("web")), "get": `"status": "Synced"`, "resources": `"kind": "Deployment"`, "history": `"outcome": "applied"`, "diff": "", "sync": `"status": "Synced"`,
	} {
		call := []string{"app", args, "-o", "json"}
		if args != "list" {
			call = append(call, string(w.app("web")))
		}
		out, errs, code := w.Run(call...)
		var v any
		if err := json.Unmarshal([]byte(out), &v); code != 0 || err != nil || !strings.Contains(out, want) {
			t.Errorf("slipway %s: exit code %d, %v, want %s:\n%s%s", strings.Join(call, " "), code, err, want, out, errs)
		}
		if _, list := v.([]any); list != slices.Contains([]string{"list", "resources", "diff"}, args) {
			t.Errorf("slipway %s gives %T", strings.Join(call, " "), v)
		}
	}
}

var kinds = regexp.MustCompile(`(?m)^kind: (\w+)$`)

func TestRenderPrintsInTheOrderOfApply(t *testing.T) {
	t.Parallel()
	w := given(t)
	w.declare("web")
	w.Write(map[string]string{
		"web/a.yaml": deployment("web", 1, "web:1") + "---\n" + service("web"),
		"web/b.yaml": secret("key", "a", "b") + "---\n" + configMap("settings", "a", "b"),
		"web/c.yaml": crd("example.com") + "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n---\napiVersion: example.com/v1\nkind: Crate\nmetadata: {name: one}\n",
	})
	out, errs, code := up.Run(t, "render", filepath.Join(w.Tree, "root", "web.yaml"), "--source", w.Tree)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	var got []string
	for _, m := range kinds.FindAllStringSubmatch(out, -1) {
		got = append(got, m[1])
	}
	want := []string{"Namespace", "Secret", "ConfigMap", "CustomResourceDefinition", "Service", "Deployment", "Crate"}
	if !slices.Equal(got, want) {
		t.Errorf("printed %v, want %v", got, want)
	}
	if n := strings.Count(out, "# Source: web/"); n != len(want) {
		t.Errorf("%d of %d objects say where they come from", n, len(want))
	}
}

func TestNoValueOfASecretIsPrinted(t *testing.T) {
	t.Parallel()
	w := given(t)
	w.declare("web", "    automated:\n      prune: true\n      selfHeal: true\n", "    syncOptions: []\n")
	w.Write(map[string]string{"web/key.yaml": secret("key", "password", "OLDSECRET")})
	sha := w.Push("A secret")
	w.Awaits(w.app("web"), up.Seen, "registered", func(a known) bool { return up.Wants(a, sha) })
	if _, errs, code := w.Run("app", "sync", string(w.app("web"))); code != 0 {
		t.Fatal(errs)
	}
	w.Write(map[string]string{"web/key.yaml": secret("key", "password", "NEWSECRET")})
	sha = w.Push("Another")
	w.Awaits(w.app("web"), up.Seen, "registered", func(a known) bool { return up.Wants(a, sha) })
	for _, o := range []string{"text", "json"} {
		out, errs, code := w.Run("app", "diff", "-o", o, string(w.app("web")))
		if code != 0 || !strings.Contains(out, ".data.password") || !strings.Contains(out, "change") {
			t.Errorf("the diff does not show that the password changes: exit code %d: %s%s", code, out, errs)
		}
		var changed []deploy.Difference
		if o == "json" {
			if err := json.Unmarshal([]byte(out), &changed); err != nil || len(changed) != 1 || len(changed[0].Changes) != 1 {
				t.Errorf("want one change of one object: %v %s", err, out)
			} else if c := changed[0].Changes[0]; c.Old == c.New {
				t.Errorf("both sides look alike: %v", c)
			}
		}
		for _, s := range []string{"OLDSECRET", "NEWSECRET", "T0xEU0VDUkVU", "TkVXU0VDUkVU"} { // and their base64
			if strings.Contains(out+errs, s) {
				t.Errorf("the diff shows the value: %s", out)
			}
		}
	}
	log, err := os.ReadFile(filepath.Join(w.Process.Dir, "slipway.log"))
	if err != nil || strings.Contains(string(log), "SECRET\"") || strings.Contains(string(log), "NEWSECRET") {
		t.Errorf("the log shows a value, or is not there: %v", err)
	}
}
