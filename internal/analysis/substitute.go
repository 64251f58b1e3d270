package analysis

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/valyala/fasttemplate"
)

const (
	open   = "{{"
	closed = "}}"
	// filledCap bounds a metric with its arguments filled in; an object in a cluster is not larger than 1.5 MiB.
	filledCap = 1 << 20
)

// fill writes the values of args into a metric. As in Argo (utils/analysis/factory.go, ResolveMetricArgs;
// utils/template), {{args.x}} is looked for in the metric's JSON, spaces around the name do not count, a value is put
// there quoted as in Go, and every argument must have a value, also one that is not used.
func fill(m v1alpha1.Metric, args []v1alpha1.Argument) (v1alpha1.Metric, error) {
	var out v1alpha1.Metric
	data, err := json.Marshal(m)
	if err != nil {
		return out, fmt.Errorf("write metric %s: %w", m.Name, err)
	}
	values := make(map[string]string, len(args))
	for _, arg := range args {
		if arg.Value == nil {
			return out, fmt.Errorf("argument %q has no value", arg.Name)
		}
		quoted := strconv.Quote(*arg.Value)
		values["args."+arg.Name] = quoted[1 : len(quoted)-1]
	}
	filled, err := replace(string(data), values)
	if err != nil {
		return out, fmt.Errorf("metric %s: %w", m.Name, err)
	}
	if err := json.Unmarshal([]byte(filled), &out); err != nil {
		return out, fmt.Errorf("metric %s: an argument does not fit where it is used: %w", m.Name, err)
	}
	return out, nil
}

// replace fills in every {{name}} of text.
func replace(text string, values map[string]string) (string, error) {
	t, err := fasttemplate.NewTemplate(text, open, closed)
	if err != nil {
		return "", fmt.Errorf("%q without %q", open, closed)
	}
	var out strings.Builder
	_, err = t.ExecuteFunc(&out, func(w io.Writer, tag string) (int, error) {
		value, ok := values[strings.TrimSpace(tag)]
		if !ok {
			return 0, fmt.Errorf("nothing to fill in for {{%.80s}}", tag)
		}
		if out.Len()+len(value) > filledCap {
			return 0, fmt.Errorf("larger than %d MiB with its arguments", filledCap>>20)
		}
		return io.WriteString(w, value)
	})
	return out.String(), err
}

// withoutSecrets is args with a stand-in for the secret ones, for what is decided without them
// (analysis.go, getResolvedMetricsWithoutSecrets).
func withoutSecrets(args []v1alpha1.Argument) []v1alpha1.Argument {
	out := make([]v1alpha1.Argument, len(args))
	for i, arg := range args {
		out[i] = arg
		if arg.ValueFrom != nil && arg.ValueFrom.SecretKeyRef != nil {
			standIn := "temp-for-secret"
			out[i] = v1alpha1.Argument{Name: arg.Name, Value: &standIn}
		}
	}
	return out
}
