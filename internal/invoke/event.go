package invoke

import (
	"errors"

	"sigs.k8s.io/json"

	"slipway/internal/fault"
)

// maxEvent bounds an event of our own; the longest holds the name of a cluster.
const maxEvent = 4 << 10 // bytes

// decode reads an event of our own: what is not known, written in another case, there twice or too long is Invalid.
// encoding/json would take the first three (sigs.k8s.io/json is what the API server decodes strictly with).
func decode(event []byte, what string, into any) error {
	if len(event) > maxEvent {
		return fault.New(fault.Invalid, "decode %s event: %d bytes, at most %d", what, len(event), maxEvent)
	}
	strict, err := json.UnmarshalStrict(event, into)
	if err = errors.Join(append(strict, err)...); err != nil {
		return fault.New(fault.Invalid, "decode %s event: %w", what, err)
	}
	return nil
}
