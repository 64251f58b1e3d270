package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// serverMetadata are the fields of metadata that the API server writes: they say nothing of what is desired.
var serverMetadata = []string{"managedFields", "creationTimestamp", "resourceVersion", "uid", "generation", "selfLink"}

// DigestOf is "sha256:" and the hash of u's content in a canonical form: the same for any order of keys and for 1 and
// 1.0. Left out are status, what the API server writes into metadata, and the label and annotations that Stamp sets, so
// that an object has the digest that it is stamped with. u is not changed.
func DigestOf(u *unstructured.Unstructured) string {
	h := sha256.Sum256(canonical(make([]byte, 0, 4096), content(u.Object)))
	return "sha256:" + hex.EncodeToString(h[:])
}

// content is a shallow copy of obj without what DigestOf leaves out.
func content(obj map[string]any) map[string]any {
	out := maps.Clone(obj)
	delete(out, "status")
	meta, ok := out["metadata"].(map[string]any)
	if !ok {
		return out
	}
	meta = maps.Clone(meta)
	for _, k := range serverMetadata {
		delete(meta, k)
	}
	without(meta, "labels", Label)
	without(meta, "annotations", ApplicationNote, DigestNote, FenceNote)
	out["metadata"] = meta
	return out
}

// without replaces the map at field by a copy that lacks keys, or by nothing if nothing is left: an object that had no
// label before Stamp has the digest of one that had none.
func without(meta map[string]any, field string, keys ...string) {
	v, ok := meta[field]
	if !ok {
		return
	}
	m, ok := v.(map[string]any)
	if !ok && v != nil {
		return // malformed: Refuse names it
	}
	m = maps.Clone(m)
	for _, k := range keys {
		delete(m, k)
	}
	if len(m) == 0 {
		delete(meta, field)
		return
	}
	meta[field] = m
}

// canonical appends v as JSON with sorted keys, no spaces and one form for each number.
func canonical(b []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		b = append(b, '{')
		for i, k := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(quote(b, k), ':')
			b = canonical(b, v[k])
		}
		return append(b, '}')
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = canonical(b, e)
		}
		return append(b, ']')
	case string:
		return quote(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case nil:
		return append(b, "null"...)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int32:
		return strconv.AppendInt(b, int64(v), 10)
	case float64:
		return number(b, v)
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return strconv.AppendInt(b, i, 10)
		}
		if f, err := v.Float64(); err == nil {
			return number(b, f)
		}
		return quote(b, v.String())
	}
	return quote(b, fmt.Sprintf("%T %v", v, v)) // no decoder of Kubernetes objects makes such a value
}

// number writes a whole float as the integer that it equals: a JSON encoder on the way may have turned one into the other.
func number(b []byte, f float64) []byte {
	if f == math.Trunc(f) && math.Abs(f) < 1<<63 {
		return strconv.AppendInt(b, int64(f), 10)
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

// quote appends s so that no two strings give the same bytes; it need not be pretty. Most strings need no escape, and
// this is the hot path of a plan.
func quote(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := range len(s) {
		if c := s[i]; c == '"' || c == '\\' {
			b = append(append(b, s[from:i]...), '\\', c)
			from = i + 1
		}
	}
	return append(append(b, s[from:]...), '"')
}
