package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"slipway/internal/fault"
)

const (
	// answerCap is the largest answer that is read: 5,000 values with their labels are about 1 MB.
	answerCap = 4 << 20
	// detailCap is how much of a server's own words an error has.
	detailCap = 300
)

// call is one question on its way: it adds what the metric says to be sent, and remembers how it was answered.
type call struct {
	target
	status int
}

// RoundTrip sends the request with the metric's headers, user and signature.
func (c *call) RoundTrip(req *http.Request) (*http.Response, error) {
	r := req.Clone(req.Context())
	for _, h := range c.headers {
		r.Header.Set(h.Key, h.Value)
	}
	if c.user != nil {
		password, _ := c.user.Password()
		r.SetBasicAuth(c.user.Username(), password)
	}
	if c.sign != nil {
		if err := c.sign(r); err != nil {
			return nil, err
		}
	}
	resp, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	c.status = resp.StatusCode
	if resp.StatusCode/100 == 3 { // before net/http can follow it, or quote where it leads
		_ = resp.Body.Close()
		return nil, fault.New(fault.Invalid, "answers %d, and redirects are not followed", resp.StatusCode)
	}
	resp.Body = &capped{body: resp.Body, left: answerCap}
	return resp, nil
}

// explain is an error by its kind and without URLs, which may hold what an argument filled in.
func (c *call) explain(ctx context.Context, err error, timeout time.Duration) error {
	say := func(k fault.Kind, format string, args ...any) error {
		return fault.New(k, "ask prometheus at %s: "+format, append([]any{c.host}, args...)...)
	}
	var answer *v1.Error
	var dns *net.DNSError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return say(fault.Unavailable, "no answer in %s", timeout)
	case ctx.Err() != nil:
		return say(fault.Unavailable, "%w", context.Cause(ctx))
	case errors.As(err, &answer):
		return say(c.kind(answer.Type), "%s", words(answer))
	case errors.As(err, &dns) && dns.IsNotFound && strings.Count(c.host, ".") == 1:
		return say(fault.Unavailable, "no such host; a Service of the cluster is %s.svc", c.address.Hostname())
	}
	var outer *url.Error
	for errors.As(err, &outer) {
		err = outer.Err
	}
	if fault.Of(err) != fault.Internal {
		return fmt.Errorf("ask prometheus at %s: %w", c.host, err)
	}
	return say(fault.Unavailable, "%w", err)
}

// kind is what an answer that is no success means.
func (c *call) kind(t v1.ErrorType) fault.Kind {
	switch {
	case c.status == http.StatusUnauthorized, c.status == http.StatusForbidden:
		return fault.Denied
	case c.status == http.StatusNotFound:
		return fault.NotFound
	case c.status == http.StatusTooManyRequests, c.status == http.StatusRequestTimeout, c.status/100 == 5:
		return fault.Unavailable
	case t == v1.ErrBadData, t == v1.ErrExec, t == v1.ErrClient:
		return fault.Invalid
	}
	return fault.Unavailable
}

// words is what the server says, on one line.
func words(e *v1.Error) string {
	out := string(e.Type) + ": " + e.Msg
	if e.Detail != "" {
		out += ": " + e.Detail
	}
	out = strings.Join(strings.Fields(out), " ")
	if len(out) > detailCap {
		out = strings.ToValidUTF8(out[:detailCap], "") + "..."
	}
	return out
}

// capped ends an answer that is too large with an error, not with an end: half an answer is never taken for a whole one.
type capped struct {
	body io.ReadCloser
	left int
}

func (c *capped) Read(p []byte) (int, error) {
	if len(p) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.body.Read(p)
	if c.left -= n; c.left < 0 {
		c.left = -1 // the next read asks for nothing and fails again
		return 0, fault.New(fault.Invalid, "the answer is larger than %d MiB: the query should aggregate", answerCap>>20)
	}
	return n, err
}

func (c *capped) Close() error { return c.body.Close() }
