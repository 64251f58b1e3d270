package arch

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

func TestTheTreeKeepsTheArchitecture(t *testing.T) {
	files, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 { // a walk from the wrong place finds nothing wrong
		t.Fatalf("only %d files under %s", len(files), root)
	}
	for name, rule := range map[string]func([]File) []string{
		"every import goes down":                   Floors,
		"each SDK stays at home":                   Homes,
		"ground and vocabulary speak in data only": Words,
		"files and mains are short":                Sizes,
		"every package says what it is":            Comments,
		"nothing banned is used":                   Calls,
	} {
		t.Run(name, func(t *testing.T) {
			for _, fault := range rule(files) {
				t.Error(fault)
			}
		})
	}
}

// light is what a function must not link, because it starts with every first push after a pause.
var light = map[string][]string{
	"functions/webhook": {"helm.sh/helm", "k8s.io/client-go", "k8s.io/apimachinery", "github.com/google/go-github"},
}

func TestTheFunctionsLinkNoMoreThanTheyNeed(t *testing.T) {
	for function, heavy := range light {
		t.Run(function, func(t *testing.T) {
			if _, err := os.Stat(filepath.Join(root, function, "main.go")); err != nil {
				t.Logf("not written yet: %v", err)
				return
			}
			cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "./"+function)
			cmd.Dir = root
			var complaint strings.Builder
			cmd.Stderr = &complaint
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v: %s", err, complaint.String())
			}
			deps := strings.Fields(string(out))
			for _, dep := range deps {
				for _, h := range heavy {
					if imports(dep, h) {
						t.Errorf("%s links %s", function, dep)
					}
				}
			}
			if len(deps) < 10 {
				t.Errorf("only %d packages: %v", len(deps), deps)
			}
		})
	}
}

func TestNoModuleOfOursIsAGitImplementation(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mod)) {
		if strings.Contains(line, "go-git/go-git") || strings.Contains(line, "k8s.io/kubernetes ") {
			t.Errorf("go.mod: %s", strings.TrimSpace(line))
		}
	}
}
