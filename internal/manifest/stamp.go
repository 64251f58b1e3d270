package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Stamp marks u as application's ("argocd/order-service"): our label, the application in full, the digest of the
// rendered object, and the fence if it is not 0 (after a takeover: a no-op apply leaves the resourceVersion alone, rule
// 11 of the push protocol). What others have set stays; an older fence goes.
func Stamp(u *unstructured.Unstructured, application, digest string, fence uint64) {
	meta := child(u.Object, "metadata")
	child(meta, "labels")[Label] = LabelFor(application)
	notes := child(meta, "annotations")
	notes[ApplicationNote] = application
	notes[DigestNote] = digest
	delete(notes, FenceNote)
	if fence != 0 {
		notes[FenceNote] = strconv.FormatUint(fence, 10)
	}
}

// SetLabel sets one label and leaves the others as they are.
func SetLabel(u *unstructured.Unstructured, key, value string) {
	child(child(u.Object, "metadata"), "labels")[key] = value
}

// child is the map at key, made if it is missing. SetLabels is no help: it loses all labels when one is not a string.
func child(m map[string]any, key string) map[string]any {
	c, ok := m[key].(map[string]any)
	if !ok {
		c = map[string]any{}
		m[key] = c
	}
	return c
}

const (
	labelMax  = 63 // of a label's value (apimachinery pkg/util/validation LabelValueMaxLength)
	labelHash = 16 // 64 bits: two applications of one label select each other's objects, so it is made unlikely
)

// LabelFor is the value of our label for application (namespace/name): as much of its name as fits, and a hash of the
// whole. It is a valid label value. It only selects: the annotation names the application.
func LabelFor(application string) string {
	h := sha256.Sum256([]byte(application))
	name := application[strings.LastIndex(application, "/")+1:]
	name = strings.Map(func(r rune) rune {
		if r < 128 && (alphanumeric(r) || strings.ContainsRune("-_.", r)) {
			return r
		}
		return '-'
	}, name)
	name = name[:min(len(name), labelMax-labelHash-1)]
	name = strings.TrimFunc(name, func(r rune) bool { return !alphanumeric(r) })
	return strings.TrimPrefix(name+"-"+hex.EncodeToString(h[:])[:labelHash], "-")
}

func alphanumeric(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}
