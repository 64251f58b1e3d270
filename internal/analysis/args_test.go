package analysis

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func numText(s string) *intstr.IntOrString { return ptr(intstr.FromString(s)) }

func fieldArg(name, path string) v1alpha1.AnalysisRunArgument {
	return v1alpha1.AnalysisRunArgument{Name: name, ValueFrom: &v1alpha1.ArgumentValueFrom{FieldRef: &v1alpha1.FieldRef{FieldPath: path}}}
}

func TestAFieldOfTheRolloutIsFound(t *testing.T) {
	for path, want := range map[string]string{
		"metadata.name": "order-service", "metadata.namespace": "production", "metadata.uid": "4f7c",
		"metadata.labels['app.kubernetes.io/name']": "orders", "metadata.annotations['team']": "checkout",
		"metadata.labels['none']": "", "metadata.annotations": "rollout.argoproj.io/revision=\"2\"\nteam=\"checkout\"",
		"spec.strategy.canary.canaryService": "order-service-canary", "spec.selector.matchLabels.app": "order-service",
	} {
		if got, err := field(rollout(), path); got != want || err != nil {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	r := rollout()
	r.Spec.Replicas = ptr[int32](5)
	r.Spec.Strategy.Canary.Steps = []v1alpha1.CanaryStep{{SetWeight: ptr[int32](10)}}
	for path, want := range map[string]string{"spec.replicas": "5", "spec.strategy.canary.steps[0].setWeight": "10"} {
		if got, err := field(r, path); got != want || err != nil {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	for _, path := range []string{
		"", "metadata.generation", "metadata", "metadata.labels[team]", "spec", "spec.none", "spec.replicas", "spec.selector.matchLabels",
		"spec.strategy.canary.steps", "spec.strategy.canary.steps[1].setWeight", "spec.strategy.canary.steps[-1]", "spec.strategy.canary.steps[x]",
		"spec.selector.matchLabels.app.more", "status.none",
	} {
		if got, err := field(rollout(), path); err == nil {
			t.Errorf("%q: %q", path, got)
		}
	}
}

func TestArgumentsGetTheirValues(t *testing.T) {
	hash := func(name string, which v1alpha1.ValueFromPodTemplateHash) v1alpha1.AnalysisRunArgument {
		return v1alpha1.AnalysisRunArgument{Name: name, ValueFrom: &v1alpha1.ArgumentValueFrom{PodTemplateHashValue: &which}}
	}
	got, wrong := subject().values([]v1alpha1.AnalysisRunArgument{
		{Name: "plain", Value: "x"}, {Name: "empty"}, hash("stable", v1alpha1.Stable), hash("latest", v1alpha1.Latest), fieldArg("name", "metadata.name"),
	})
	var text []string
	for _, a := range got {
		text = append(text, a.Name+"="+*a.Value)
	}
	if s := strings.Join(text, " "); s != "plain=x empty= stable=66b9 latest=789f name=order-service" || len(wrong) > 0 {
		t.Errorf("%s %v", s, wrong)
	}
	both := hash("both", v1alpha1.Latest)
	both.Value = "x"
	_, wrong = subject().values([]v1alpha1.AnalysisRunArgument{
		hash("other", "Oldest"), fieldArg("field", "spec.none"), {Name: "nothing", ValueFrom: &v1alpha1.ArgumentValueFrom{}}, both,
	})
	for i, want := range []string{"args[0].valueFrom: podTemplateHashValue: \"Oldest\"", "args[1].valueFrom: fieldRef \"spec.none\"", "args[2].valueFrom: names no source", "args[3]: has both"} {
		if len(wrong) != 4 || !strings.Contains(wrong[i], want) {
			t.Errorf("%v, want %s", wrong, want)
		}
	}
}

func TestArgumentsOfTemplatesAndRolloutAreMerged(t *testing.T) {
	secretArg := v1alpha1.Argument{Name: "token", ValueFrom: &v1alpha1.ValueFrom{SecretKeyRef: &v1alpha1.SecretKeyRef{Name: "s", Key: "k"}}}
	for name, tc := range map[string]struct {
		passed, asked []v1alpha1.Argument
		want          string // the arguments, the warnings, what is wrong
	}{
		"a default stays":                    {nil, []v1alpha1.Argument{arg("a", "1")}, "a=1"},
		"a default is overridden":            {[]v1alpha1.Argument{arg("a", "2")}, []v1alpha1.Argument{arg("a", "1")}, "a=2"},
		"a missing one is given":             {[]v1alpha1.Argument{arg("a", "2")}, []v1alpha1.Argument{{Name: "a"}}, "a=2"},
		"given empty":                        {[]v1alpha1.Argument{arg("a", "")}, []v1alpha1.Argument{arg("a", "1")}, "a="},
		"not given":                          {nil, []v1alpha1.Argument{{Name: "a"}}, "a, args.a: has no value"},
		"nobody asks":                        {[]v1alpha1.Argument{arg("a", "2")}, nil, "argument a: no template asks for it"},
		"from a Secret":                      {nil, []v1alpha1.Argument{secretArg}, "token"},
		"from a Secret and from the Rollout": {[]v1alpha1.Argument{arg("token", "x")}, []v1alpha1.Argument{secretArg}, "token, args.token: the template takes it from a Secret"},
	} {
		t.Run(name, func(t *testing.T) {
			args, warnings, wrong := mergeArgs(tc.passed, tc.asked)
			var got []string
			for _, a := range args {
				if a.Value == nil {
					got = append(got, a.Name)
				} else {
					got = append(got, fmt.Sprintf("%s=%s", a.Name, *a.Value))
				}
			}
			if s := strings.Join(slices.Concat(got, warnings, wrong), ", "); s != tc.want {
				t.Errorf("%s, want %s", s, tc.want)
			}
		})
	}
}
