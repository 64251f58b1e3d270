package cluster

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/manifest"
)

//go:embed crowd.go
var crowdSource string

//go:embed crowd_objects.go
var crowdObjectsSource string

// CrowdKey names what Crowd makes of a cluster: it is another one when Crowd, its objects, or the label and annotations
// that sync puts on them are.
func CrowdKey() (string, error) {
	h := sha256.New()
	h.Write([]byte(crowdSource + " " + crowdObjectsSource + "\n"))
	for i := range crowdSize {
		b, err := json.Marshal(stamped(i).object)
		if err != nil {
			return "", fmt.Errorf("encode object: %w", err)
		}
		h.Write(append(b, '\n'))
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// stamped is the i-th object of Crowd as sync applies it.
func stamped(i int) member {
	m := crowdObject(i)
	u := &unstructured.Unstructured{Object: m.object}
	manifest.Stamp(u, CrowdName(i/crowdSize), manifest.DigestOf(u), 0)
	return m
}
