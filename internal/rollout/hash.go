package rollout

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/rand"
)

// PodHash is the value of label rollouts-pod-template-hash as Argo Rollouts computes it (utils/hash/hash.go): FNV-1a of
// the template's JSON and, after a collision, of the count in eight bytes, of which four are used. It depends on the
// version of k8s.io/api compiled in: see templateDigest.
func PodHash(template *corev1.PodTemplateSpec, collisions *int32) (string, error) {
	text, err := json.Marshal(template)
	if err != nil {
		return "", fmt.Errorf("hash pod template: %w", err)
	}
	if collisions != nil {
		text = binary.LittleEndian.AppendUint64(text, uint64(uint32(*collisions))) //nolint:gosec // a count, never negative
	}
	return safe(text), nil
}

// StepHash is status.currentStepHash: it tells that the steps changed in the middle (utils/conditions ComputeStepHash).
func StepHash(steps []v1alpha1.CanaryStep) (string, error) {
	text, err := json.Marshal(steps)
	if err != nil {
		return "", fmt.Errorf("hash steps: %w", err)
	}
	return safe(text), nil
}

// safe is 32 bits of hash in letters that spell no words.
func safe(text []byte) string {
	h := fnv.New32a()
	_, _ = h.Write(text) // a hash never fails
	return rand.SafeEncodeString(fmt.Sprint(h.Sum32()))
}

// templateNote is an annotation on our ReplicaSets: the digest of the template that they were made from. A new version of
// k8s.io/api may give the same template another pod hash, and then everything would be rolled out again.
const templateNote = "slipway.dev/template"

// templateDigest leaves out what a version of the Go types writes without being told: nulls, and the structs that are
// always written. Other empty maps stay: labelSelector: {} is not the same as none.
func templateDigest(template *corev1.PodTemplateSpec) (string, error) {
	text, err := json.Marshal(template)
	if err != nil {
		return "", fmt.Errorf("digest pod template: %w", err)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return "", fmt.Errorf("digest pod template: %w", err)
	}
	if text, err = json.Marshal(filled(v)); err != nil {
		return "", fmt.Errorf("digest pod template: %w", err)
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// filled is v without null and without the empty structs that Go writes for a container and for metadata.
func filled(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			e = filled(e)
			m, isMap := e.(map[string]any)
			if e == nil || isMap && len(m) == 0 && (k == "resources" || k == "metadata") {
				delete(v, k)
				continue
			}
			v[k] = e
		}
	case []any:
		for i, e := range v {
			v[i] = filled(e)
		}
	}
	return v
}
