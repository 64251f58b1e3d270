package kube

import (
	"encoding/binary"
	"errors"
	"mime"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Known reports whether the caller has an object as it is at a resourceVersion. It is asked side by side for different
// kinds.
type Known = func(kind schema.GroupKind, namespace, name, uid, resourceVersion string) bool

// decodePage reads a page; of what is known it reads nothing but who it is: most of an answer is the managed fields of
// objects that nobody has touched since the last sweep, and they need not become objects.
func (s *sweep) decodePage(r request, a answer, gk schema.GroupKind, list *metav1.PartialObjectMetadataList) error {
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if s.known == nil || err != nil || kind != runtime.ContentTypeProtobuf {
		return decodeMetadata(r, a, list)
	}
	if err := s.decodeList(a.body, gk, list); err != nil {
		return decodeMetadata(r, a, list) // which says what is wrong
	}
	return nil
}

// Numbers of fields in apimachinery's runtime/generated.proto and meta/v1/generated.proto.
const (
	unknownRaw    = 2
	listMetadata  = 1
	listItems     = 2
	itemMetadata  = 1
	metaName      = 1
	metaNamespace = 3
	metaUID       = 5
	metaVersion   = 6
)

func (s *sweep) decodeList(body []byte, gk schema.GroupKind, list *metav1.PartialObjectMetadataList) error {
	const magic = "k8s\x00"
	if len(body) < len(magic) || string(body[:len(magic)]) != magic {
		return errWire
	}
	raw, err := field(body[len(magic):], unknownRaw)
	if err != nil {
		return err
	}
	*list = metav1.PartialObjectMetadataList{Items: list.Items[:0]}
	return fields(raw, func(number uint64, data []byte) error {
		switch number {
		case listMetadata:
			return list.ListMeta.Unmarshal(data)
		case listItems:
			list.Items = append(list.Items, metav1.PartialObjectMetadata{})
			return s.decodeItem(data, gk, &list.Items[len(list.Items)-1])
		}
		return nil
	})
}

func (s *sweep) decodeItem(data []byte, gk schema.GroupKind, m *metav1.PartialObjectMetadata) error {
	meta, err := field(data, itemMetadata)
	if err != nil {
		return err
	}
	var name, namespace, uid, version []byte
	err = fields(meta, func(number uint64, data []byte) error {
		switch number {
		case metaName:
			name = data
		case metaNamespace:
			namespace = data
		case metaUID:
			uid = data
		case metaVersion:
			version = data
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(uid) == 0 || len(version) == 0 {
		return m.Unmarshal(data)
	}
	at := func(b []byte) int { return cap(meta) - cap(b) }
	head := string(meta[:at(version)+len(version)]) // the first fields: one copy for the four
	text := func(b []byte) string {
		if len(b) == 0 || at(b)+len(b) > len(head) {
			return string(b)
		}
		return head[at(b) : at(b)+len(b)]
	}
	known := metav1.ObjectMeta{Name: text(name), Namespace: text(namespace), UID: types.UID(text(uid)), ResourceVersion: text(version)}
	if !s.known(gk, known.Namespace, known.Name, string(known.UID), known.ResourceVersion) {
		return m.Unmarshal(data)
	}
	m.ObjectMeta = known
	return nil
}

var errWire = errors.New("not a protobuf message")

// field is the last field of that number, which counts in protobuf.
func field(message []byte, number uint64) (found []byte, err error) {
	err = fields(message, func(n uint64, data []byte) error {
		if n == number {
			found = data
		}
		return nil
	})
	return found, err
}

// fields goes through the fields of a message that have a length; numbers are skipped.
func fields(message []byte, each func(number uint64, data []byte) error) error {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 {
			return errWire
		}
		message = message[n:]
		size := uint64(0)
		switch tag & 7 {
		case 0: // a number
			if _, n = binary.Uvarint(message); n <= 0 {
				return errWire
			}
			message = message[n:]
			continue
		case 1:
			size = 8
		case 5:
			size = 4
		case 2:
			if size, n = binary.Uvarint(message); n <= 0 {
				return errWire
			}
			message = message[n:]
		default:
			return errWire
		}
		if size > uint64(len(message)) {
			return errWire
		}
		if tag&7 == 2 {
			if err := each(tag>>3, message[:size]); err != nil {
				return err
			}
		}
		message = message[size:]
	}
	return nil
}
