package rollout

import (
	"strconv"
	"strings"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"slipway/internal/fault"
)

// maxProblems bounds how many faults of a Rollout one error names.
const maxProblems = 20

// Decode reads a Rollout from JSON or YAML. An unknown field, a field of a wrong type, a value that means nothing and a
// feature that is not built are each refused by their path: "Rollout shop/web: spec.strategy.blueGreen: not supported
// yet". All that is refused is one error of kind fault.Invalid, one line each and 20 at most.
func Decode(data []byte) (*v1alpha1.Rollout, error) {
	var ro v1alpha1.Rollout
	var r refusal
	text, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return nil, fault.New(fault.Invalid, "decode Rollout: %w", err)
	}
	unknown, err := json.UnmarshalStrict(text, &ro) // field names are case-sensitive, as they are for the API server
	if err != nil {
		return nil, fault.New(fault.Invalid, "decode Rollout %s: %w", nameIn(text), err)
	}
	for _, u := range unknown {
		r.problems = append(r.problems, u.Error())
	}
	if ro.APIVersion != "argoproj.io/v1alpha1" || ro.Kind != "Rollout" {
		r.say("kind", "is %.80q of %.80q, not a Rollout of argoproj.io/v1alpha1", ro.Kind, ro.APIVersion)
	}
	r.spec(&ro)
	if len(r.problems) > 0 {
		lines := r.problems[:min(len(r.problems), maxProblems)]
		return nil, fault.New(fault.Invalid, "Rollout %s/%s: %s", ro.Namespace, ro.Name, strings.Join(lines, "\n"))
	}
	return &ro, nil
}

// nameIn is namespace/name of an object that could not be decoded, as far as it says so.
func nameIn(text []byte) string {
	var named metav1.PartialObjectMetadata
	_ = json.UnmarshalCaseSensitivePreserveInts(text, &named)
	return named.Namespace + "/" + named.Name
}

func (r *refusal) spec(ro *v1alpha1.Rollout) {
	s := &ro.Spec
	if ro.Name == "" {
		r.say("metadata.name", "is missing")
	}
	r.unbuilt("spec.workloadRef", s.WorkloadRef != nil)
	r.unbuilt("spec.rollbackWindow", s.RollbackWindow != nil)
	r.unbuilt("spec.strategy.blueGreen", s.Strategy.BlueGreen != nil)
	r.count("spec.replicas", s.Replicas, 0)
	r.count("spec.revisionHistoryLimit", s.RevisionHistoryLimit, 0)
	r.count("spec.progressDeadlineSeconds", s.ProgressDeadlineSeconds, 1)
	r.count("spec.minReadySeconds", &s.MinReadySeconds, 0)
	if a := s.Analysis; a != nil {
		r.count("spec.analysis.successfulRunHistoryLimit", a.SuccessfulRunHistoryLimit, 0)
		r.count("spec.analysis.unsuccessfulRunHistoryLimit", a.UnsuccessfulRunHistoryLimit, 0)
	}
	if deadline := s.ProgressDeadlineSeconds; deadline != nil && *deadline <= s.MinReadySeconds {
		r.say("spec.progressDeadlineSeconds", "must be more than minReadySeconds")
	}
	if s.WorkloadRef == nil {
		r.selector(ro)
	}
	if c := s.Strategy.Canary; c != nil {
		r.canary(c)
	} else if s.Strategy.BlueGreen == nil {
		r.say("spec.strategy", "has neither canary nor blueGreen")
	}
}

// selector must select the template's pods and nothing else of the namespace, or the ReplicaSets take in foreign pods.
func (r *refusal) selector(ro *v1alpha1.Rollout) {
	if ro.Spec.Selector == nil {
		r.say("spec.selector", "is missing")
		return
	}
	selector, err := metav1.LabelSelectorAsSelector(ro.Spec.Selector)
	switch {
	case err != nil:
		r.say("spec.selector", "%v", err)
	case selector.Empty():
		r.say("spec.selector", "selects every pod of the namespace")
	case !selector.Matches(labels.Set(ro.Spec.Template.Labels)):
		r.say("spec.template.metadata.labels", "are not selected by spec.selector")
	}
	if _, ok := ro.Spec.Template.Labels[v1alpha1.DefaultRolloutUniqueLabelKey]; ok {
		r.say("spec.template.metadata.labels."+v1alpha1.DefaultRolloutUniqueLabelKey, "is set by the rollout itself")
	}
	if len(ro.Spec.Template.Spec.Containers) == 0 {
		r.say("spec.template.spec.containers", "is missing")
	}
}

func (r *refusal) canary(c *v1alpha1.CanaryStrategy) {
	const at = "spec.strategy.canary."
	r.unbuilt(at+"antiAffinity", c.AntiAffinity != nil)
	r.unbuilt(at+"canaryMetadata", c.CanaryMetadata != nil)
	r.unbuilt(at+"stableMetadata", c.StableMetadata != nil)
	r.unbuilt(at+"dynamicStableScale", c.DynamicStableScale)
	r.unbuilt(at+"pingPong", c.PingPong != nil)
	r.unbuilt(at+"replicaProgressThreshold", c.ReplicaProgressThreshold != nil)
	r.amount(at+"maxSurge", c.MaxSurge)
	r.amount(at+"maxUnavailable", c.MaxUnavailable)
	r.count(at+"scaleDownDelaySeconds", c.ScaleDownDelaySeconds, 0)
	r.count(at+"scaleDownDelayRevisionLimit", c.ScaleDownDelayRevisionLimit, 0)
	r.count(at+"abortScaleDownDelaySeconds", c.AbortScaleDownDelaySeconds, 0)
	r.count(at+"minPodsPerReplicaSet", c.MinPodsPerReplicaSet, 1)
	if c.CanaryService != "" && c.CanaryService == c.StableService {
		r.say(at+"canaryService", "is the same as stableService")
	}
	if c.TrafficRouting != nil {
		r.routing(at+"trafficRouting", c)
	}
	for i := range c.Steps {
		r.step(at+"steps["+strconv.Itoa(i)+"]", &c.Steps[i], c.TrafficRouting != nil)
	}
	if b := c.Analysis; b != nil {
		r.analysis(at+"analysis", &b.RolloutAnalysis)
		r.count(at+"analysis.startingStep", b.StartingStep, 0)
		if b.StartingStep != nil && int(*b.StartingStep) >= len(c.Steps) {
			r.say(at+"analysis.startingStep", "is %d, but there are %d steps", *b.StartingStep, len(c.Steps))
		}
	}
}

// gatewayPlugin is how Argo Rollouts names the router of the Gateway API.
const gatewayPlugin = "argoproj-labs/gatewayAPI"

// Gateway is trafficRouting.plugins["argoproj-labs/gatewayAPI"].
type Gateway struct {
	HTTPRoute  string      `json:"httpRoute,omitempty"`
	HTTPRoutes []HTTPRoute `json:"httpRoutes,omitempty"`
	Namespace  string      `json:"namespace,omitempty"` // of the routes
}

// HTTPRoute is one of several.
type HTTPRoute struct {
	Name            string `json:"name"`
	UseHeaderRoutes bool   `json:"useHeaderRoutes,omitempty"`
}

// Routes are the names of the HTTPRoutes.
func (g Gateway) Routes() []string {
	var out []string
	if g.HTTPRoute != "" {
		out = append(out, g.HTTPRoute)
	}
	for _, r := range g.HTTPRoutes {
		out = append(out, r.Name)
	}
	return out
}

// GatewayOf is the router of a Rollout that Decode has read; false where replicas alone divide the traffic.
func GatewayOf(ro *v1alpha1.Rollout) (Gateway, bool) {
	c := ro.Spec.Strategy.Canary
	if c == nil || c.TrafficRouting == nil {
		return Gateway{}, false
	}
	var g Gateway
	if err := json.UnmarshalCaseSensitivePreserveInts(c.TrafficRouting.Plugins[gatewayPlugin], &g); err != nil {
		return Gateway{}, false
	}
	if g.Namespace == "" {
		g.Namespace = ro.Namespace
	}
	return g, true
}

// pauseFor is how long a pause lasts, and whether it ends by itself.
func pauseFor(p *v1alpha1.RolloutPause) (d time.Duration, ends bool) {
	if p.Duration == nil {
		return 0, false
	}
	return time.Duration(p.DurationSeconds()) * time.Second, true
}

// amount must be a number or a percentage.
func (r *refusal) amount(path string, v *intstr.IntOrString) {
	switch {
	case v == nil:
	case v.Type == intstr.Int && v.IntVal < 0:
		r.say(path, "is %d, less than 0", v.IntVal)
	case v.Type == intstr.String:
		if _, ok := percentage(v.StrVal); !ok {
			r.say(path, "is %.80q, neither a number nor a percentage from 0%% to 100%%", v.StrVal)
		}
	}
}
