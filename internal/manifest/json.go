package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

func startsAsObject(data []byte) bool {
	data = bytes.TrimSpace(data)
	return len(data) > 0 && data[0] == '{'
}

// json reads the one object of a JSON file. encoding/json alone would let the last of two equal keys win in silence.
func (p *parser) json(data []byte) ([]Object, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	line := func() int { return 1 + bytes.Count(data[:min(int(d.InputOffset()), len(data))], []byte{'\n'}) }
	v, err := p.jsonValue(d, line, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, p.errorf(line(), "a JSON file must hold exactly one object")
	}
	if err := p.add(v, func() int { return 1 }, 0); err != nil {
		return nil, err
	}
	return p.objects, nil
}

func (p *parser) jsonValue(d *json.Decoder, line func() int, depth int) (any, error) {
	if depth > maxDepth {
		return nil, p.errorf(line(), "more than %d levels deep", maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, p.errorf(line(), "not JSON")
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return p.jsonMap(d, line, depth)
		}
		list := []any{}
		for d.More() {
			v, err := p.jsonValue(d, line, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, p.jsonEnd(d, line)
	case json.Number:
		if i, err := t.Int64(); err == nil {
			return i, nil
		}
		f, err := t.Float64()
		if err != nil {
			return nil, p.errorf(line(), "a number must be finite")
		}
		return f, nil
	}
	return t, nil
}

func (p *parser) jsonMap(d *json.Decoder, line func() int, depth int) (any, error) {
	m := map[string]any{}
	for d.More() {
		t, err := d.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return nil, p.errorf(line(), "not JSON")
		}
		if _, ok := m[key]; ok {
			return nil, p.errorf(line(), "key %q is set twice", CleanText(key, 80))
		}
		if m[key], err = p.jsonValue(d, line, depth+1); err != nil {
			return nil, err
		}
	}
	return m, p.jsonEnd(d, line)
}

// jsonEnd takes the bracket that ends a map or list.
func (p *parser) jsonEnd(d *json.Decoder, line func() int) error {
	if _, err := d.Token(); err != nil {
		return p.errorf(line(), "not JSON")
	}
	return nil
}
