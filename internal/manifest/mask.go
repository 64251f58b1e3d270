package manifest

import (
	"encoding/base64"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The marks that stand for a secret value. They say nothing of it but whether it differs from its counterpart.
const (
	redacted    = "[redacted]"
	redactedOld = "[redacted, before]"
	redactedNew = "[redacted, after]"
)

// Mask is a copy of u that may be shown: see MaskPair. nil stays nil.
func Mask(u *unstructured.Unstructured) *unstructured.Unstructured {
	masked, _ := MaskPair(u, nil)
	return masked
}

// MaskPair is copies of two states of one object that may be shown side by side. Replaced by marks, without a trace of
// length or form, are the values of data and stringData of every Secret, also of one embedded in a list or in a custom
// resource, every other stringData, and every last-applied-configuration annotation. Both sides are treated alike
// (CVE-2026-42880, CVE-2026-45737): at one place equal values have equal marks and different ones different marks.
// Either may be nil.
func MaskPair(before, after *unstructured.Unstructured) (maskedBefore, maskedAfter *unstructured.Unstructured) {
	return maskOne(before, after, redactedOld), maskOne(after, before, redactedNew)
}

func maskOne(u, other *unstructured.Unstructured, changed string) *unstructured.Unstructured {
	if u == nil {
		return nil
	}
	others := map[string]string{}
	if other != nil {
		replaceSecrets(other.Object, func(at string, v any) any { others[at] = plain(v); return v })
	}
	masked := replaceSecrets(u.Object, func(at string, v any) any {
		if o, ok := others[at]; ok && o != plain(v) {
			return changed
		}
		return redacted
	})
	return &unstructured.Unstructured{Object: masked}
}

// plain is a secret value in the form that is compared: base64 written another way is the same secret.
func plain(v any) string {
	s, ok := v.(string)
	if !ok {
		return "json:" + string(canonical(nil, v))
	}
	if b, err := base64.StdEncoding.DecodeString(s); err == nil { // line ends are ignored
		return "text:" + string(b)
	}
	return "text:" + s
}

// bearsSecrets reports whether u is a Secret or has one inside.
func bearsSecrets(u *unstructured.Unstructured) bool {
	if u == nil {
		return false
	}
	found := strings.HasPrefix(u.GetKind(), "Secret")
	replaceSecrets(u.Object, func(at string, v any) any {
		found = found || !strings.HasSuffix(at, lastApplied)
		return v
	})
	return found
}

const lastApplied = "last-applied-configuration" // the end of the annotation's name, whoever writes it

// replaceSecrets is a copy of obj in which f has replaced each secret value, called with a path that is unique in obj.
func replaceSecrets(obj map[string]any, f func(at string, v any) any) map[string]any {
	return walker(f).object(obj, "", false)
}

type walker func(at string, v any) any

// object copies m. items is true where m must be a Secret because it stands in a SecretList, whose items have no kind.
func (w walker) object(m map[string]any, at string, items bool) map[string]any {
	if m == nil {
		return nil
	}
	kind, _ := m["kind"].(string)
	secret := items || kind == "Secret"
	out := make(map[string]any, len(m))
	for k, v := range m {
		here := at + "/" + strings.ReplaceAll(strings.ReplaceAll(k, "~", "~0"), "/", "~1")
		switch {
		case k == "stringData", k == "data" && secret:
			out[k] = w.values(v, here)
		case strings.HasSuffix(k, lastApplied):
			out[k] = w(here, v)
		default:
			out[k] = w.any(v, here, k == "items" && kind == "SecretList")
		}
	}
	return out
}

func (w walker) any(v any, at string, items bool) any {
	switch v := v.(type) {
	case map[string]any:
		return w.object(v, at, items)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = w.any(e, fmt.Sprintf("%s/%d", at, i), items)
		}
		return out
	}
	return v
}

// values replaces what data holds: each value of a map, or all of it where it is no map, as in a broken manifest.
func (w walker) values(v any, at string) any {
	m, ok := v.(map[string]any)
	if !ok {
		if v == nil {
			return nil
		}
		return w(at, v)
	}
	out := make(map[string]any, len(m))
	for k, e := range m {
		out[k] = w(at+"/"+strings.ReplaceAll(strings.ReplaceAll(k, "~", "~0"), "/", "~1"), e)
	}
	return out
}
