package analysis

import (
	"fmt"
	"maps"
	"regexp"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

// merge is several templates as one (utils/analysis/helpers.go, FlattenTemplates). Metrics and rules of the same name are
// an error, and so are arguments of the same name with different values.
func merge(templates []Template) (v1alpha1.AnalysisTemplateSpec, map[string]Evidence, problems) {
	var out v1alpha1.AnalysisTemplateSpec
	evidence := map[string]Evidence{}
	from := map[string]Template{} // by the name of a metric
	var wrong problems
	for _, t := range templates {
		for _, m := range t.Spec.Metrics {
			if other, twice := from[m.Name]; twice {
				wrong.add(t.String(), "metric %q is in %s too", m.Name, other)
			}
			from[m.Name] = t
		}
		out.Metrics = append(out.Metrics, t.Spec.Metrics...)
		out.DryRun = append(out.DryRun, t.Spec.DryRun...)
		out.MeasurementRetention = append(out.MeasurementRetention, t.Spec.MeasurementRetention...)
		for _, arg := range t.Spec.Args {
			var err error
			if out.Args, err = mergeArg(out.Args, arg); err != nil {
				wrong.add(t.String(), "%s", err)
			}
		}
		maps.Copy(evidence, t.Evidence)
	}
	return out, evidence, wrong
}

// mergeArg adds an argument, or its value to one that has none yet.
func mergeArg(args []v1alpha1.Argument, arg v1alpha1.Argument) ([]v1alpha1.Argument, error) {
	for i, before := range args {
		if before.Name != arg.Name {
			continue
		}
		if before.Value != nil && arg.Value != nil && *before.Value != *arg.Value {
			return args, fmt.Errorf("argument %q has another value in another template: %.80q and %.80q", arg.Name, *before.Value, *arg.Value)
		}
		if before.Value == nil {
			args[i] = arg
		}
		return args, nil
	}
	return append(args, arg), nil
}

// checkRules reports rules of a template or a run that are there twice, or are no regular expression.
func checkRules(spec v1alpha1.AnalysisTemplateSpec) problems {
	var wrong problems
	seen := map[string]bool{}
	rule := func(list string, i int, name string) {
		path := fmt.Sprintf("spec.%s[%d].metricName", list, i)
		if seen[list+name] {
			wrong.add(path, "%q is there twice", name)
		}
		seen[list+name] = true
		if _, err := regexp.Compile(name); err != nil {
			wrong.add(path, "%.80q is not a regular expression; every metric is .*", name)
		}
	}
	for i, r := range spec.DryRun {
		rule("dryRun", i, r.MetricName)
	}
	for i, r := range spec.MeasurementRetention {
		rule("measurementRetention", i, r.MetricName)
	}
	return wrong
}

// matching says which metrics a rule is for. A rule that is for none is an error (utils/analysis/helpers.go).
func matching(path, rule string, metrics []v1alpha1.Metric, then func(metric string)) error {
	re, err := regexp.Compile(rule)
	if err != nil {
		return fmt.Errorf("%s: %.80q is not a regular expression", path, rule)
	}
	found := false
	for _, m := range metrics {
		if re.MatchString(m.Name) {
			found = true
			then(m.Name)
		}
	}
	if !found {
		return fmt.Errorf("%s: Rule didn't match any metric name(s)", path)
	}
	return nil
}
