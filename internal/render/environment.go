package render

import (
	"os"
	"strings"

	"slipway/internal/app"
	"slipway/internal/fault"
)

const environmentPrefix = "ARGOCD_APP_"

// environment is what $ARGOCD_APP_... in parameter values and value file names stands for (argo-cd
// reposerver/repository/repository.go newEnv). The three with the revision are refused: inputs are named by their
// content, and a commit in it would make every commit a new version of every application of its repository.
func environment(a app.Application) map[string]string {
	return map[string]string{
		environmentPrefix + "NAME":                   a.Name,
		environmentPrefix + "NAMESPACE":              a.Destination.Namespace,
		environmentPrefix + "PROJECT_NAME":           a.Project,
		environmentPrefix + "SOURCE_REPO_URL":        a.Source.RepoURL,
		environmentPrefix + "SOURCE_PATH":            a.Source.Path,
		environmentPrefix + "SOURCE_TARGET_REVISION": a.Source.TargetRevision,
	}
}

// substitute replaces $NAME and ${NAME}; $$ is a dollar sign. Argo CD makes nothing of a name that it does not know;
// here that is an error, which names the variable and not the text around it.
func substitute(s string, env map[string]string) (string, error) {
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
