// Package hook reads webhooks of git hosts: it decides who sent them and what they say has moved. It never parses what
// it has not verified, never looks a host up by what a header claims (security W7), and takes from a payload only names
// to compare with (W8): what is deployed is read from the host later, with our own credentials (W9).
package hook

import (
	"context"
	"errors"
	"strings"

	"slipway/internal/fault"
	"slipway/internal/revision"
)

// Caps. A body is 1 MiB by default: Argo CD's 50 MB made it run out of memory (CVE-2024-40634). API Gateway allows
// 10,240 bytes of headers in all (quotas for HTTP APIs).
const (
	DefaultMaxBody = 1 << 20
	maxHeader      = 10_240
	maxDepth       = 32  // of JSON; the host's own payloads reach 8
	maxName        = 512 // bytes of a repository's URL or a ref; git hosts allow 255 in a ref
)

// ErrTooLarge is in the chain of the error for a body or header over the cap; its kind is Invalid.
var ErrTooLarge = errors.New("too large")

// Delivery is one webhook as far as it was read. All strings but KeyID and Ignored come from outside.
type Delivery struct {
	ID      string // the host's delivery id, or the body's hash where there is none
	Event   string // as the host names it
	KeyID   string // which secret matched; empty: not authentic
	Moves   []revision.Move
	Ignored string // why an authentic delivery has no moves
}

// Hook verifies and reads deliveries. It is safe for use by many goroutines.
type Hook struct {
	keys    keyring
	maxBody int
}

// New reads the secrets once and refuses to go on without a good one (security W1). maxBody is in bytes, 0 meaning
// DefaultMaxBody.
func New(ctx context.Context, keys Keys, maxBody int) (*Hook, error) {
	if maxBody <= 0 {
		maxBody = DefaultMaxBody
	}
	h := &Hook{keys: keyring{read: keys}, maxBody: maxBody}
	if err := h.keys.load(ctx); err != nil {
		return nil, err
	}
	return h, nil
}

// MaxBody is the cap in bytes, for who reads a body from a connection.
func (h *Hook) MaxBody() int { return h.maxBody }

// Stale says why the secrets could not be read again; nil when they are fresh. The known ones go on being valid.
func (h *Hook) Stale() error {
	if err := h.keys.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Refuse is the answer to a request for no host at all. It takes as long as a bad signature does (security W14).
func (h *Hook) Refuse(ctx context.Context, body []byte) error {
	if _, err := h.verify(ctx, "", body); err != nil {
		return err
	}
	return errNotAuthentic
}

var errNotAuthentic = fault.New(fault.Denied, "verify signature: it is missing, malformed, or of another secret")

// size refuses what is over the caps before anything looks into it (security W5).
func (h *Hook) size(header map[string]string, body []byte) error {
	if len(body) > h.maxBody {
		return fault.New(fault.Invalid, "read body of %d bytes: %w, at most %d", len(body), ErrTooLarge, h.maxBody)
	}
	n := 0
	for k, v := range header {
		n += len(k) + len(v)
	}
	if n > maxHeader {
		return fault.New(fault.Invalid, "read headers of %d bytes: %w, at most %d", n, ErrTooLarge, maxHeader)
	}
	return nil
}

// shallow refuses JSON that is nested too deep, in one pass and without memory (security W6).
func shallow(body []byte) error {
	depth, text, escaped := 0, false, false
	for _, c := range body {
		switch {
		case escaped:
			escaped = false
		case text && c == '\\':
			escaped = true
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return fault.New(fault.Invalid, "parse body: nested deeper than %d", maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// refName checks a branch or tag by the rules of git check-ref-format that keep it from being anything but a name.
func refName(s string) error {
	odd := func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`~^:?*[\`, r) }
	switch {
	case s == "", len(s) > maxName, strings.ContainsFunc(s, odd),
		strings.Contains(s, ".."), strings.Contains(s, "@{"), strings.Contains(s, "//"), strings.Contains("/"+s, "/."),
		strings.HasPrefix(s, "/"), strings.HasSuffix(s, "/"), strings.HasSuffix(s, "."), strings.HasSuffix(s, ".lock"):
		return fault.New(fault.Invalid, "parse ref %.80q: not a name that git allows", s)
	}
	return nil
}
