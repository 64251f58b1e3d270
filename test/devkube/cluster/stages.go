package cluster

import (
	_ "embed" // stages.yaml
	"fmt"
	"strings"

	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	nodelease "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
)

// imageStages make a pod behave as the tag of its image says: :broken*, :crash*, :slow*; any other is Ready at once.
//
//go:embed stages.yaml
var imageStages string

// stages is what KWOK does to nodes and pods: its own fast Stages, ours by image tag, and the caller's. A later
// Stage replaces an earlier one of the same name.
func stages(more []string) (map[internalversion.StageResourceRef][]*internalversion.Stage, error) {
	docs := []string{
		nodefast.DefaultNodeInit, nodelease.DefaultNodeHeartbeatWithLease,
		podfast.DefaultPodReady, podfast.DefaultPodComplete, podfast.DefaultPodDelete,
	}
	for _, file := range append([]string{imageStages}, more...) {
		docs = append(docs, documents(file)...)
	}
	byName := map[string]*internalversion.Stage{}
	for _, d := range docs {
		s, err := kwokconfig.UnmarshalWithType[*internalversion.Stage](d)
		if err != nil {
			return nil, fmt.Errorf("read stage: %w", err)
		}
		byName[s.Name] = s
	}
	byKind := map[internalversion.StageResourceRef][]*internalversion.Stage{}
	for _, s := range byName {
		byKind[s.Spec.ResourceRef] = append(byKind[s.Spec.ResourceRef], s)
	}
	return byKind, nil
}

func documents(file string) []string {
	var out []string
	for d := range strings.SplitSeq("\n"+file, "\n---") {
		if strings.TrimSpace(d) != "" {
			out = append(out, d)
		}
	}
	return out
}
