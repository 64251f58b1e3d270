package drive

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/rollout"
)

// The kinds that a rollout works with.
var (
	rolloutKind  = schema.GroupKind{Group: "argoproj.io", Kind: "Rollout"}
	runKind      = schema.GroupKind{Group: "argoproj.io", Kind: "AnalysisRun"}
	templateKind = schema.GroupKind{Group: "argoproj.io", Kind: "AnalysisTemplate"}
	clusterKind  = schema.GroupKind{Group: "argoproj.io", Kind: "ClusterAnalysisTemplate"}
	setKind      = schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}
	serviceKind  = schema.GroupKind{Kind: "Service"}
	podKind      = schema.GroupKind{Kind: "Pod"}
	routeKind    = schema.GroupKind{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"}
)

// Instance selects the Rollouts that we drive: an Argo controller in the same cluster leaves alone what carries this
// label (argo-rollouts utils/controller/controller.go).
const Instance = v1alpha1.LabelKeyControllerInstanceID + "=slipway"

// Key names a Rollout of a cluster.
type Key struct{ Cluster, Namespace, Name string }

// String is cluster/namespace/name, the key of its record.
func (k Key) String() string { return k.Cluster + "/" + k.Namespace + "/" + k.Name }

// ParseKey reads cluster/namespace/name; fault.Invalid if it is not that.
func ParseKey(s string) (Key, error) {
	parts := strings.Split(s, "/")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return Key{}, fault.New(fault.Invalid, "%.200q is not cluster/namespace/name of a Rollout", s)
	}
	return Key{parts[0], parts[1], parts[2]}, nil
}

func (k Key) id() manifest.ID { return k.of(rolloutKind, k.Name) }

// of is an object beside the Rollout.
func (k Key) of(gk schema.GroupKind, name string) manifest.ID {
	return manifest.ID{Group: gk.Group, Kind: gk.Kind, Namespace: k.Namespace, Name: name}
}

var plain = regexp.MustCompile(`[^A-Za-z0-9-]`)

// execution is the name of an execution: which Rollout, which revision, and the fence, which makes it new for ever. A
// name has 80 characters and is taken for 90 days, and a revert has the hash of before (Step Functions, StartExecution).
func (k Key) execution(revision string) func(fence uint64) string {
	return func(fence uint64) string {
		hash, _, _ := strings.Cut(revision, ".")
		tail := "-" + hash + "-" + strconv.FormatUint(fence, 36)
		head := plain.ReplaceAllString(k.Cluster+"-"+k.Namespace+"-"+k.Name, "-")
		return head[:min(len(head), 80-len(tail))] + tail
	}
}

// Revision is what an execution rolls out: the pod template and the steps, since a change of either begins anew
// (argo-rollouts rollout/sync.go).
func Revision(ro *v1alpha1.Rollout) (string, error) {
	hash, err := rollout.PodHash(&ro.Spec.Template, nil)
	if err != nil {
		return "", err
	}
	if ro.Spec.Strategy.Canary == nil {
		return hash, nil
	}
	steps, err := rollout.StepHash(ro.Spec.Strategy.Canary.Steps)
	return hash + "." + steps, err
}
