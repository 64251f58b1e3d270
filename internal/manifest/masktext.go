package manifest

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// MaskError is what may be shown of an API server's message about u. The server quotes what it does not like, so of a
// message about a Secret nothing is left but the object's name (CVE-2025-23216; kube-apiserver 1.36.3 answers a bad
// stringData with its value); the caller puts the reason before it. Other messages are cleaned and cut.
func MaskError(msg string, u *unstructured.Unstructured) string {
	if bearsSecrets(u) {
		return "the API server's message about " + IDOf(u).String() + " is not shown: it may quote a secret value"
	}
	return CleanText(msg, MaxReason)
}

// shortest is the length in bytes below which MaskText lets a secret value stand: "1" or "no" would be found in any text.
const shortest = 4

// MaskText is s without the secret values of objs: as they are, encoded in base64, escaped as in JSON, and line by line,
// for whoever quotes one line of a key. It is a second net behind Mask and MaskError, not a replacement: values of less
// than four bytes and parts of values are not found.
func MaskText(s string, objs ...*unstructured.Unstructured) string {
	var forms []string
	add := func(v string) {
		escaped, _ := json.Marshal(v) //nolint:errcheck,errchkjson // a string
		for _, f := range []string{v, base64.StdEncoding.EncodeToString([]byte(v)), string(escaped[1 : len(escaped)-1])} {
			if len(f) >= shortest {
				forms = append(forms, f)
			}
		}
	}
	for _, u := range objs {
		if u == nil {
			continue
		}
		replaceSecrets(u.Object, func(_ string, v any) any {
			leaves(v, func(text string) {
				values := []string{text}
				if b, err := base64.StdEncoding.DecodeString(text); err == nil {
					values = append(values, string(b))
				}
				for _, v := range values {
					add(v)
					for line := range strings.Lines(v) {
						add(strings.TrimSpace(line))
					}
				}
			})
			return v
		})
	}
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) }) // a part must not break up the whole
	for _, f := range slices.Compact(forms) {
		s = strings.ReplaceAll(s, f, redacted)
	}
	return s
}

// leaves calls f with every text in v, and with v's numbers as text. Keys are no secrets.
func leaves(v any, f func(string)) {
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			leaves(e, f)
		}
	case []any:
		for _, e := range v {
			leaves(e, f)
		}
	case string:
		f(v)
	case int64, float64:
		f(string(canonical(nil, v)))
	}
}
