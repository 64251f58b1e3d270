package analysis

import (
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	strict "sigs.k8s.io/json"

	"slipway/internal/fault"
)

const apiVersion = "argoproj.io/v1alpha1"

// Template is an AnalysisTemplate or a ClusterAnalysisTemplate, checked.
type Template struct {
	Name     string
	Cluster  bool // a ClusterAnalysisTemplate
	Spec     v1alpha1.AnalysisTemplateSpec
	Evidence map[string]Evidence // by the name of the metric: our own settings
}

// String is "AnalysisTemplate success-rate".
func (t Template) String() string {
	if t.Cluster {
		return "ClusterAnalysisTemplate " + t.Name
	}
	return "AnalysisTemplate " + t.Name
}

// DecodeTemplate reads an AnalysisTemplate or ClusterAnalysisTemplate from git or from a cluster. All that is wrong with
// it is one error of kind fault.Invalid, a line each and 20 at most: "templates/rate.yaml: AnalysisTemplate rate:
// spec.metrics[0].provider.web: not supported yet". A field that Argo Rollouts has and Slipway has not is an error too.
// Where is the file, or the cluster, that the object comes from.
func DecodeTemplate(where string, obj map[string]any) (Template, error) {
	var raw v1alpha1.AnalysisTemplate // a ClusterAnalysisTemplate has the same fields
	what := where + ": " + describe(obj)
	data, err := json.Marshal(obj)
	if err != nil {
		return Template{}, fault.New(fault.Invalid, "%s: %w", what, err)
	}
	var wrong problems
	unknown, err := strict.UnmarshalStrict(data, &raw)
	if err != nil {
		return Template{}, fault.New(fault.Invalid, "%s: %s", what, mismatch(err))
	}
	for _, u := range unknown {
		wrong = append(wrong, u.Error())
	}
	t := Template{Name: raw.Name, Cluster: raw.Kind == "ClusterAnalysisTemplate", Spec: raw.Spec}
	if raw.APIVersion != apiVersion {
		wrong.add("apiVersion", "%.80q is not %s", raw.APIVersion, apiVersion)
	}
	if raw.Kind != "AnalysisTemplate" && !t.Cluster {
		wrong.add("kind", "%.80q is not AnalysisTemplate or ClusterAnalysisTemplate", raw.Kind)
	}
	if t.Name == "" {
		wrong.add("metadata.name", "missing")
	}
	if len(t.Spec.Metrics) == 0 && len(t.Spec.Templates) == 0 {
		wrong.add("spec.metrics", "missing")
	}
	wrong = append(wrong, checkArgs(t.Spec.Args)...)
	wrong = append(wrong, checkMetrics("spec.metrics", t.Spec.Metrics)...)
	wrong = append(wrong, checkRules(t.Spec)...)
	for i, ref := range t.Spec.Templates {
		if ref.TemplateName == "" {
			wrong.add(fmt.Sprintf("spec.templates[%d].templateName", i), "missing")
		}
	}
	t.Evidence, err = decodeEvidence(raw.Annotations[EvidenceNote], t.Spec.Metrics)
	if err != nil {
		wrong.add("metadata.annotations["+EvidenceNote+"]", "%s", err)
	}
	return t, wrong.err(what)
}

// describe is "AnalysisTemplate success-rate", as far as the object says it.
func describe(obj map[string]any) string {
	kind, _ := obj["kind"].(string)
	meta, _ := obj["metadata"].(map[string]any)
	name, _ := meta["name"].(string)
	return fmt.Sprintf("%.80s %.253s", kind, name)
}

// typeError is the decoder's complaint about a value of the wrong type; its own type is not exported.
var typeError = regexp.MustCompile(`cannot unmarshal (\S+)(?: \S+)? into Go struct field \w+\.(\S+) of type`)

// mismatch is a decoder's complaint by path. Its own text names Go types.
func mismatch(err error) string {
	if m := typeError.FindStringSubmatch(err.Error()); m != nil {
		return fmt.Sprintf("%s: a %s does not fit here", m[2], m[1])
	}
	return err.Error()
}

// checkArgs reports arguments of a template that can never have a value.
func checkArgs(args []v1alpha1.Argument) problems {
	var wrong problems
	seen := map[string]bool{}
	for i, arg := range args {
		path := fmt.Sprintf("spec.args[%d]", i)
		if arg.Name == "" {
			wrong.add(path+".name", "missing")
		}
		if seen[arg.Name] {
			wrong.add(path+".name", "%q is there twice", arg.Name)
		}
		seen[arg.Name] = true
		if arg.ValueFrom == nil {
			continue
		}
		switch ref := arg.ValueFrom.SecretKeyRef; {
		case arg.Value != nil:
			wrong.add(path, "has both value and valueFrom")
		case arg.ValueFrom.FieldRef != nil:
			// Argo's types have it, its controller leaves it empty (analysis.go, resolveArgs).
			wrong.add(path+".valueFrom.fieldRef", "not supported in a template, only where a Rollout passes the argument")
		case ref == nil:
			wrong.add(path+".valueFrom", "names no source")
		case ref.Name == "":
			wrong.add(path+".valueFrom.secretKeyRef.name", "missing")
		case ref.Key == "":
			wrong.add(path+".valueFrom.secretKeyRef.key", "missing")
		}
	}
	return wrong
}
