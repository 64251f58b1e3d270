package kube

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
)

// read reads the answer to r, and counts the bytes that travelled. It is cut off behind maxAnswer, whatever was
// compressed into it.
func (r request) read(resp *http.Response) (body []byte, wire int64, err error) {
	counted := &counter{from: resp.Body}
	from := io.Reader(counted)
	if resp.Header.Get("Content-Encoding") == "gzip" { // r asked for it: what the transport asks for, it takes off itself
		z, err := gzip.NewReader(counted)
		if err != nil {
			return nil, counted.n, fmt.Errorf("decompress answer: %w", err)
		}
		from = z
	}
	b := r.buffer
	if b == nil {
		b = &bytes.Buffer{}
	}
	b.Reset()
	_, err = b.ReadFrom(io.LimitReader(from, maxAnswer+1))
	return b.Bytes(), counted.n, err
}

type counter struct {
	from io.Reader
	n    int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.from.Read(b)
	c.n += int64(n)
	return n, err
}
