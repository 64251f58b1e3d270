package kube

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"slipway/internal/manifest"
)

// maxEvent is the longest event in bytes: etcd takes requests of at most 1.5 MiB, so no object is longer.
const maxEvent = 4 << 20

const acceptWatch = "application/vnd.kubernetes.protobuf;stream=watch;as=PartialObjectMetadata;g=meta.k8s.io;v=v1," +
	"application/json;stream=watch;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

// frames are the events of a watch, one after the other. The end is io.EOF, an end within an event is another error.
type frames interface {
	next() (occurrence, error)
}

// occurrence is an event, or why the server ends the watch.
type occurrence struct {
	manifest.Event
	refused *refused
}

const typeError = "ERROR" // its object is a Status

func framesOf(resp *http.Response) (frames, error) {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read events: %w", err)
	case kind == runtime.ContentTypeProtobuf:
		return &protobufFrames{from: bufio.NewReader(resp.Body)}, nil
	case kind == runtime.ContentTypeJSON:
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, maxEvent)
		return &jsonFrames{lines}, nil
	}
	return nil, fmt.Errorf("read events: they come as %.100q", kind)
}

// protobufFrames are a length of four bytes and a WatchEvent each, whose object is in Kubernetes' envelope (apimachinery
// runtime/serializer/protobuf, util/framer).
type protobufFrames struct {
	from   *bufio.Reader
	buffer []byte
	event  metav1.WatchEvent
}

func (f *protobufFrames) next() (occurrence, error) {
	var head [4]byte
	if _, err := io.ReadFull(f.from, head[:]); err != nil {
		return occurrence{}, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxEvent {
		return occurrence{}, fmt.Errorf("an event has %d bytes", n)
	}
	if cap(f.buffer) < int(n) {
		f.buffer = make([]byte, n)
	}
	f.buffer = f.buffer[:n]
	if _, err := io.ReadFull(f.from, f.buffer); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return occurrence{}, err
	}
	f.event.Type, f.event.Object.Raw = "", f.event.Object.Raw[:0] // a field that is not sent stays as it was
	if err := f.event.Unmarshal(f.buffer); err != nil {
		return occurrence{}, fmt.Errorf("decode event: %w", err)
	}
	if f.event.Type == typeError {
		var s metav1.Status
		err := decodeProtobuf(f.event.Object.Raw, &s)
		return occurrence{refused: ended(s)}, err
	}
	o := occurrence{Event: manifest.Event{Type: manifest.EventType(f.event.Type)}}
	return o.checked(decodeProtobuf(f.event.Object.Raw, &o.Object))
}

// jsonFrames are a line each: what an aggregated API sends that has no protobuf.
type jsonFrames struct{ lines *bufio.Scanner }

func (f *jsonFrames) next() (occurrence, error) {
	if !f.lines.Scan() {
		if err := f.lines.Err(); err != nil {
			return occurrence{}, err
		}
		return occurrence{}, io.EOF
	}
	var event struct {
		Type   string          `json:"type"`
		Object json.RawMessage `json:"object"`
	}
	if err := json.Unmarshal(f.lines.Bytes(), &event); err != nil {
		return occurrence{}, fmt.Errorf("decode event: %w", err)
	}
	if event.Type == typeError {
		var s metav1.Status
		err := json.Unmarshal(event.Object, &s)
		return occurrence{refused: ended(s)}, err
	}
	o := occurrence{Event: manifest.Event{Type: manifest.EventType(event.Type)}}
	return o.checked(json.Unmarshal(event.Object, &o.Object))
}

// checked is o unless it could not be decoded or is of no known type.
func (o occurrence) checked(err error) (occurrence, error) {
	if err != nil {
		return occurrence{}, fmt.Errorf("decode event: %w", err)
	}
	switch o.Type {
	case manifest.Added, manifest.Modified, manifest.Deleted, manifest.Bookmark:
		return o, nil
	}
	return occurrence{}, fmt.Errorf("an event is %.100q", o.Type)
}

// ended is why the server ends a watch.
func ended(s metav1.Status) *refused {
	r := &refused{status: int(s.Code), reason: s.Reason, message: oneLine(s.Message)}
	if r.message == "" {
		r.message = http.StatusText(r.status)
	}
	return r
}
