package app

import (
	"os"
	"path"
	"strings"

	"slipway/internal/fault"
)

const environmentPrefix = "ARGOCD_APP_"

// Environment is what $ARGOCD_APP_... in parameter values and value file names stands for (argo-cd
// reposerver/repository/repository.go newEnv). The three with the revision are left out: inputs are named by their
// content, and a commit in it would make every commit a new version of every application of its repository.
func (a Application) Environment() map[string]string {
	return map[string]string{
		environmentPrefix + "NAME":                   a.Name,
		environmentPrefix + "NAMESPACE":              a.Destination.Namespace,
		environmentPrefix + "PROJECT_NAME":           a.Project,
		environmentPrefix + "SOURCE_REPO_URL":        a.Source.RepoURL,
		environmentPrefix + "SOURCE_PATH":            a.Source.Path,
		environmentPrefix + "SOURCE_TARGET_REVISION": a.Source.TargetRevision,
	}
}

// Substitute replaces $NAME and ${NAME}; $$ is a dollar sign. Argo CD makes nothing of a name that it does not know;
// here that is an error, which names the variable and not the text around it.
func Substitute(s string, env map[string]string) (string, error) {
	if !strings.Contains(s, "$") {
		return s, nil
	}
	var err error
	out := os.Expand(s, func(name string) string {
		v, known := env[name]
		switch {
		case name == "$":
			return "$"
		case known, err != nil:
			return v
		case strings.HasPrefix(name, environmentPrefix+"REVISION"):
			err = fault.New(fault.Invalid, "variable $%s is not supported: it would make every commit a change of the application", name)
		case strings.HasPrefix(name, environmentPrefix):
			err = fault.New(fault.Invalid, "variable $%s is not known", name)
		default:
			err = fault.New(fault.Invalid, "holds a $ that starts no $%s... variable: write $$ for a dollar sign", environmentPrefix)
		}
		return ""
	})
	return out, err
}

// ValueFiles is spec.source.helm.valueFiles as clean paths or globs from the root of the repository, in order: relative
// to the source's path, from the root with a leading slash, never outside of the repository, never a URL (argo-cd.md
// 2.1.6, security R9; CVE-2022-24348). The error names the entry.
func (a Application) ValueFiles() ([]string, error) {
	if a.Source.Helm == nil {
		return nil, nil
	}
	env := a.Environment()
	out := make([]string, len(a.Source.Helm.ValueFiles))
	for i, raw := range a.Source.Helm.ValueFiles {
		p, err := resolveValueFile(a.Source.Path, raw, env)
		if err != nil {
			return nil, fault.New(fault.Invalid, "spec.source.helm.valueFiles[%d] %.200q: %w", i, raw, err)
		}
		out[i] = p
	}
	return out, nil
}

func resolveValueFile(source, raw string, env map[string]string) (string, error) {
	if ref, _, _ := strings.Cut(raw, "/"); strings.HasPrefix(ref, "$") && !strings.Contains(ref, environmentPrefix) {
		return "", fault.New(fault.Invalid, "names another source (%s): applications with several sources are not supported yet", ref)
	}
	p, err := Substitute(raw, env)
	switch {
	case err != nil:
		return "", err
	case p == "":
		return "", fault.New(fault.Invalid, "is empty")
	case strings.Contains(p, "://"):
		return "", fault.New(fault.Invalid, "is a URL: put the file into the repository")
	case odd(p):
		return "", fault.New(fault.Invalid, "is not a slash-separated path")
	case alternatives(p) > alternativesCap:
		return "", fault.New(fault.Invalid, "has more than %d alternatives in braces", alternativesCap)
	}
	if rooted, ok := strings.CutPrefix(p, "/"); ok {
		p = path.Clean(strings.TrimLeft(rooted, "/"))
	} else {
		p = path.Join(source, p)
	}
	if p == "." || p == ".." || strings.HasPrefix(p, "../") {
		return "", fault.New(fault.Invalid, "is outside of the repository")
	}
	return p, nil
}

// alternativesCap bounds what a pattern may cost: each file of a repository is matched with each of the paths that its
// braces stand for, and twenty pairs of braces stand for a million.
const alternativesCap = 64

// alternatives is how many paths the braces of a pattern stand for, or more where braces are nested; it stops counting
// beyond the cap.
func alternatives(p string) int {
	all := 1
	var open []int // alternatives of the braces that are open
	for _, c := range p {
		last := len(open) - 1
		switch {
		case c == '{':
			open = append(open, 1)
		case c == ',' && last >= 0:
			open[last]++
		case c == '}' && last >= 0:
			if all *= open[last]; all > alternativesCap {
				return all
			}
			open = open[:last]
		}
	}
	return all
}

// IsGlob reports whether a value file is a doublestar pattern rather than the path of one file.
func IsGlob(p string) bool { return strings.ContainsAny(p, "*?[{") }
