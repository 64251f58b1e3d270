package ownership

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// digestNote is manifest.DigestNote; a test holds them together.
const digestNote = "slipway.dev/digest"

// Fast is a hash over what MarkOf looks at, and over the digest annotation and whether the object is being deleted,
// taken as the server sent it: no field is parsed. Two objects with equal Fast have equal marks. Two with equal marks may
// differ in Fast (another API server may order the fields in another way), so that a difference only says: look closer.
//
// It goes through metadata that protobuf brought: JSON decoded and encoded again does not have the server's bytes. Like
// a mark it knows no times, and no order of entries, which the server sorts by time.
func Fast(meta *metav1.PartialObjectMetadata) string {
	b, ok := buffers.Get().(*fastBuffer)
	if !ok {
		b = &fastBuffer{}
	}
	defer buffers.Put(b)
	b.entries = b.entries[:0]
	for i := range meta.ManagedFields {
		if e := &meta.ManagedFields[i]; isOurs(*e) || e.Subresource != "status" {
			b.entries = append(b.entries, e)
		}
	}
	slices.SortStableFunc(b.entries, compareEntries)
	b.data = b.data[:0]
	b.add(string(meta.UID))
	b.data = binary.BigEndian.AppendUint64(b.data, uint64(meta.Generation)) //nolint:gosec // bits, not a number
	b.add(meta.Annotations[digestNote])
	deleted := byte(0)
	if meta.DeletionTimestamp != nil {
		deleted = 1
	}
	b.data = append(b.data, deleted)
	for _, e := range b.entries {
		b.add(e.Manager)
		b.add(string(e.Operation))
		b.add(e.APIVersion)
		b.add(e.Subresource)
		raw := e.FieldsV1.GetRawBytes()
		b.data = binary.AppendUvarint(b.data, uint64(len(raw)))
		b.data = append(b.data, raw...)
	}
	clear(b.entries) // the pool keeps no object
	h := sha256.Sum256(b.data)
	return base64.RawURLEncoding.EncodeToString(h[:16])
}

// fastBuffer is used again: a sweep hashes ten thousand objects a minute.
type fastBuffer struct {
	data    []byte
	entries []*metav1.ManagedFieldsEntry
}

var buffers sync.Pool

// add is s with its length before it, so that no two lists of texts are the same bytes.
func (b *fastBuffer) add(s string) {
	b.data = append(binary.AppendUvarint(b.data, uint64(len(s))), s...)
}

// compareEntries puts ours first, in their own order: MarkOf takes the last, should there be more than one.
func compareEntries(a, b *metav1.ManagedFieldsEntry) int {
	switch ours, theirs := isOurs(*a), isOurs(*b); {
	case ours && theirs:
		return 0
	case ours:
		return -1
	case theirs:
		return 1
	}
	return cmp.Or(
		cmp.Compare(a.Manager, b.Manager), cmp.Compare(a.Operation, b.Operation),
		cmp.Compare(a.APIVersion, b.APIVersion), cmp.Compare(a.Subresource, b.Subresource),
		bytes.Compare(a.FieldsV1.GetRawBytes(), b.FieldsV1.GetRawBytes()),
	)
}
