package analysis

import (
	"fmt"
	"slices"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

// Subject is the Rollout that is judged, and the pod template hashes that its arguments may ask for.
type Subject struct {
	Rollout *v1alpha1.Rollout
	Stable  string
	Latest  string
}

// values are the arguments that a Rollout passes, with their values (utils/analysis/factory.go).
func (s Subject) values(args []v1alpha1.AnalysisRunArgument) ([]v1alpha1.Argument, problems) {
	var wrong problems
	out := make([]v1alpha1.Argument, 0, len(args))
	for i, arg := range args {
		value := arg.Value
		if from := arg.ValueFrom; from != nil {
			var err error
			if value, err = s.value(*from); err != nil {
				wrong.add(fmt.Sprintf("args[%d].valueFrom", i), "%s", err)
			}
			if arg.Value != "" {
				wrong.add(fmt.Sprintf("args[%d]", i), "has both value and valueFrom")
			}
		}
		out = append(out, v1alpha1.Argument{Name: arg.Name, Value: &value})
	}
	return out, wrong
}

func (s Subject) value(from v1alpha1.ArgumentValueFrom) (string, error) {
	switch {
	case from.PodTemplateHashValue != nil:
		switch *from.PodTemplateHashValue {
		case v1alpha1.Latest:
			return s.Latest, nil
		case v1alpha1.Stable:
			return s.Stable, nil
		}
		return "", fmt.Errorf("podTemplateHashValue: %.80q is not Stable or Latest", *from.PodTemplateHashValue)
	case from.FieldRef != nil:
		return field(s.Rollout, from.FieldRef.FieldPath)
	}
	return "", fmt.Errorf("names no source")
}

// mergeArgs gives the arguments of the templates the values that the Rollout passes (utils/analysis/helpers.go,
// MergeArgs). What then has no value is an error. What is passed and nobody asks for is dropped, with a warning.
func mergeArgs(passed, asked []v1alpha1.Argument) ([]v1alpha1.Argument, []string, problems) {
	var wrong problems
	var warnings []string
	out := slices.Clone(asked)
	for _, p := range passed {
		i := slices.IndexFunc(out, func(a v1alpha1.Argument) bool { return a.Name == p.Name })
		switch {
		case i < 0:
			warnings = append(warnings, fmt.Sprintf("argument %s: no template asks for it", p.Name))
		case out[i].ValueFrom != nil:
			wrong.add("args."+p.Name, "the template takes it from a Secret") // Argo drops the value that is passed
		default:
			out[i].Value = p.Value
		}
	}
	for _, arg := range out {
		if arg.Value == nil && arg.ValueFrom == nil {
			wrong.add("args."+arg.Name, "has no value")
		}
	}
	return out, warnings, wrong
}
