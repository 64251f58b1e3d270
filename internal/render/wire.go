package render

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// request is what a child is asked, in this order on the wire: its limits, which it sets before it reads on, then the
// target as JSON and the inputs as their bundle.
type request struct {
	Memory uint64
	CPU    time.Duration
	Target app.Target
	Inputs app.Inputs
}

var magic = [8]byte{'s', 'l', 'i', 'p', 'w', 'a', 'y', 1}

// header is the fixed part of a request, big endian.
type header struct {
	Magic          [8]byte
	Memory, CPU    uint64 // bytes, nanoseconds
	Target, Bundle uint64 // lengths
}

const (
	maxTarget = 4 << 20
	maxBundle = 200 << 20 // the files of one application may have 100 MiB (security S4); tar adds a kilobyte to each
)

func (r request) encode() ([]byte, error) {
	target, err := json.Marshal(r.Target)
	if err != nil {
		return nil, fmt.Errorf("encode target: %w", err)
	}
	bundle, err := r.Inputs.Encode()
	if err != nil {
		return nil, err
	}
	if len(target) > maxTarget || len(bundle) > maxBundle {
		return nil, fault.New(fault.Invalid, "inputs have %d MiB, at most %d are rendered", len(bundle)>>20, maxBundle>>20)
	}
	h := header{Magic: magic, Memory: r.Memory, CPU: uint64(max(r.CPU, 0)), Target: uint64(len(target)), Bundle: uint64(len(bundle))}
	buf := bytes.NewBuffer(make([]byte, 0, binary.Size(h)+len(target)+len(bundle)))
	if err := binary.Write(buf, binary.BigEndian, h); err != nil {
		return nil, fmt.Errorf("encode header: %w", err)
	}
	buf.Write(target)
	buf.Write(bundle)
	clear(bundle)
	return buf.Bytes(), nil
}

func readHeader(in io.Reader) (header, error) {
	var h header
	if err := binary.Read(in, binary.BigEndian, &h); err != nil {
		return h, fmt.Errorf("read header: %w", err)
	}
	if h.Magic != magic || h.Target > maxTarget || h.Bundle > maxBundle {
		return h, errors.New("read header: not a request of this version")
	}
	return h, nil
}

func readRequest(in io.Reader, h header) (app.Inputs, app.Target, error) {
	var t app.Target
	buf := make([]byte, max(h.Target, h.Bundle))
	defer clear(buf) // security X10
	if _, err := io.ReadFull(in, buf[:h.Target]); err != nil {
		return app.Inputs{}, t, fmt.Errorf("read target: %w", err)
	}
	if err := json.Unmarshal(buf[:h.Target], &t); err != nil {
		return app.Inputs{}, t, fmt.Errorf("decode target: %w", err)
	}
	if _, err := io.ReadFull(in, buf[:h.Bundle]); err != nil {
		return app.Inputs{}, t, fmt.Errorf("read bundle: %w", err)
	}
	inputs, err := app.DecodeInputs(buf[:h.Bundle])
	return inputs, t, err
}

// answer is what a child says.
type answer struct {
	Objects  []object   `json:"objects,omitempty"`
	Warnings []string   `json:"warnings,omitempty"`
	Error    string     `json:"error,omitempty"`
	Kind     fault.Kind `json:"kind,omitempty"`
}

type object struct {
	File   string          `json:"file"`
	Object json.RawMessage `json:"object"`
}

func writeAnswer(out io.Writer, r manifest.Rendered, err error) error {
	a := answer{Warnings: r.Warnings}
	if err != nil {
		a = answer{Error: err.Error(), Kind: fault.Of(err)}
	}
	for _, o := range r.Objects {
		var buf bytes.Buffer
		e := json.NewEncoder(&buf)
		e.SetEscapeHTML(false) // it would make six bytes of one
		if err := e.Encode(o.Object); err != nil {
			return fmt.Errorf("encode %s: %w", o.File, err)
		}
		a.Objects = append(a.Objects, object{File: o.File, Object: buf.Bytes()})
	}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	return e.Encode(a)
}

func decodeAnswer(data []byte) (manifest.Rendered, error) {
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		return manifest.Rendered{}, fault.New(fault.Internal, "decode the child's answer: it is not JSON")
	}
	if a.Error != "" {
		return manifest.Rendered{}, fault.New(a.Kind, "%s", a.Error)
	}
	out := manifest.Rendered{Warnings: a.Warnings, Objects: make([]manifest.Object, 0, len(a.Objects))}
	for _, o := range a.Objects {
		u := &unstructured.Unstructured{}
		if err := utiljson.Unmarshal(o.Object, &u.Object); err != nil {
			return manifest.Rendered{}, fault.New(fault.Internal, "decode the child's answer: %s is not an object", o.File)
		}
		out.Objects = append(out.Objects, manifest.Object{Unstructured: u, File: o.File})
	}
	return out, nil
}
