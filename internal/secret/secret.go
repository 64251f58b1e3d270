// Package secret is a value that prints as [redacted], however it is printed: by fmt with any verb, alone or inside a
// struct, as JSON, YAML or text, by slog (security X4; CVE-2024-52009 and GHSA-6w87-g839-9wv7 are secrets in logs).
package secret

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Value is a secret. It holds the bytes in a closure: fmt and reflection do not look into one, so that they stay hidden
// also in an unexported field, where fmt calls no methods. Two Values cannot be compared with ==, which would not take
// constant time (CVE-2022-24912).
type Value struct{ reveal func() []byte }

// Of makes s a secret.
func Of(s string) Value {
	b := []byte(s)
	return Value{reveal: func() []byte { return b }}
}

// Reveal is the secret itself, for the one place that needs it. It must not be changed.
func (v Value) Reveal() []byte {
	if v.reveal == nil {
		return nil
	}
	return v.reveal()
}

// Len is the number of bytes.
func (v Value) Len() int { return len(v.Reveal()) }

func (Value) String() string { return redacted }

// GoString is for %#v.
func (Value) GoString() string { return redacted }

// Format is for every verb, also those that do not fit.
func (Value) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalJSON is for encoding/json.
func (Value) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText is for YAML, XML and map keys.
func (Value) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue is for log/slog.
func (Value) LogValue() slog.Value { return slog.StringValue(redacted) }

// Key is a secret with a name that may be logged, to tell which of two matched (security W18).
type Key struct {
	ID    string
	Value Value
}
