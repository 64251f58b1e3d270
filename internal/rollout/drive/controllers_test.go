package drive

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// controllers are those of the cluster: ReplicaSets get their pods, a route is taken.
func (s *scene) controllers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	for id, old := range s.memory.objects {
		switch id.Kind {
		case "ReplicaSet":
			s.podsOf(old)
		case "HTTPRoute":
			u := old.DeepCopy()
			u.Object["status"] = map[string]any{"parents": []any{map[string]any{"conditions": []any{map[string]any{
				"type": "Accepted", "status": "True", "observedGeneration": old.GetGeneration(),
			}}}}}
			s.memory.put(old, u)
		}
	}
}

func (s *scene) podsOf(old *unstructured.Unstructured) {
	wanted, _, _ := unstructured.NestedInt64(old.Object, "spec", "replicas")
	have, _, _ := unstructured.NestedInt64(old.Object, "status", "replicas")
	if have < wanted {
		s.readyAt[old.GetName()] = time.Now().Add(2 * time.Second)
	}
	image := imageOf(old)
	ready, _, _ := unstructured.NestedInt64(old.Object, "status", "availableReplicas")
	switch {
	case s.broken[image]:
		ready = 0
	case !time.Now().Before(s.readyAt[old.GetName()]):
		ready = wanted
	}
	ready = min(ready, wanted)
	u := old.DeepCopy()
	u.Object["status"] = map[string]any{"replicas": wanted, "readyReplicas": ready, "availableReplicas": ready, "observedGeneration": old.GetGeneration()}
	s.memory.put(old, u)
}

// imageOf is the image of a Rollout's or ReplicaSet's template.
func imageOf(u *unstructured.Unstructured) string {
	containers, _, _ := unstructured.NestedSlice(u.Object, "spec", "template", "spec", "containers")
	for _, c := range containers {
		if container, ok := c.(map[string]any); ok {
			return fmt.Sprint(container["image"])
		}
	}
	return ""
}

func (s *scene) breaks(image string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken[image] = true
}

// mend makes every image's pods get ready again.
func (s *scene) mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = map[string]bool{}
}
