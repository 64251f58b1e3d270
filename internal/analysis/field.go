package analysis

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

var (
	// subscript is metadata.labels['a.b/c'] of the downward API (k8s.io/kubernetes pkg/fieldpath).
	subscript = regexp.MustCompile(`^metadata\.(labels|annotations)\['([^']+)'\]$`)
	// separator is between the steps of any other path: spec.template.spec.containers[0].image
	separator = regexp.MustCompile(`[.\[\]]+`)
)

// field is the value of a Rollout's field as a fieldRef names it: a path of the downward API below metadata, any other
// path down to a text, a number, true or false (utils/analysis/factory.go, extractValueFromRollout).
func field(r *v1alpha1.Rollout, path string) (string, error) {
	if strings.HasPrefix(path, "metadata") {
		return metadata(r, path)
	}
	data, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("write rollout %s: %w", r.Name, err)
	}
	var at any
	if err := json.Unmarshal(data, &at); err != nil {
		return "", fmt.Errorf("read rollout %s: %w", r.Name, err)
	}
	for _, step := range separator.Split(path, -1) {
		if step == "" {
			continue
		}
		switch v := at.(type) {
		case map[string]any:
			at = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return "", fmt.Errorf("fieldRef %.200q: %.40q is no element of a list of %d", path, step, len(v))
			}
			at = v[i]
		default:
			return "", fmt.Errorf("fieldRef %.200q: not in the Rollout", path)
		}
	}
	switch at.(type) {
	case nil:
		return "", fmt.Errorf("fieldRef %.200q: not in the Rollout", path)
	case map[string]any, []any:
		return "", fmt.Errorf("fieldRef %.200q: not a single value", path)
	}
	return fmt.Sprint(at), nil
}

func metadata(r *v1alpha1.Rollout, path string) (string, error) {
	if m := subscript.FindStringSubmatch(path); m != nil {
		if m[1] == "labels" {
			return r.Labels[m[2]], nil
		}
		return r.Annotations[m[2]], nil
	}
	switch path {
	case "metadata.name":
		return r.Name, nil
	case "metadata.namespace":
		return r.Namespace, nil
	case "metadata.uid":
		return string(r.UID), nil
	case "metadata.labels":
		return lines(r.Labels), nil
	case "metadata.annotations":
		return lines(r.Annotations), nil
	}
	return "", fmt.Errorf("fieldRef %.200q: not a field of metadata that can be asked for", path)
}

// lines is a="b", a line each, in order (k8s.io/kubernetes pkg/fieldpath, FormatMap).
func lines(m map[string]string) string {
	out := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, fmt.Sprintf("%s=%q", k, m[k]))
	}
	return strings.Join(out, "\n")
}
