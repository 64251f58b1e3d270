package manifest

import "slipway/internal/fault"

// What one application may render to (security R14).
const (
	MaxObjects = 2000
	MaxObject  = 1 << 20  // bytes of JSON: etcd takes 1.5 MiB
	MaxTotal   = 20 << 20 // bytes of JSON
)

// CheckLimits refuses, with kind fault.Invalid, more than MaxObjects objects, one of more than MaxObject bytes, and more
// than MaxTotal bytes in all. Bytes are those of compact JSON.
func CheckLimits(objs []Object) error {
	if len(objs) > MaxObjects {
		return fault.New(fault.Invalid, "%d objects were rendered, at most %d are allowed", len(objs), MaxObjects)
	}
	total := 0
	var buf []byte
	for _, o := range objs {
		buf = canonical(buf[:0], o.Object)
		if len(buf) > MaxObject {
			return fault.New(fault.Invalid, "%s: %s: %d bytes, at most %d are allowed in one object", o.File, shownID(o), len(buf), MaxObject)
		}
		if total += len(buf); total > MaxTotal {
			return fault.New(fault.Invalid, "%s: %s: the objects up to this one have %d bytes, at most %d are allowed in all", o.File, shownID(o), total, MaxTotal)
		}
	}
	return nil
}
