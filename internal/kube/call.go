package kube

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"path"
	"strconv"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// request is one call to the API server.
type request struct {
	verb    string                     // for error texts: "apply"
	what    string                     // for error texts: "Deployment.apps production/web"
	about   *unstructured.Unstructured // decides what of the server's messages may be shown (security X2)
	method  string
	path    string // below the server's own path
	query   url.Values
	body    []byte
	content string // type of body
	accept  string
	coding  string        // that the answer may have: "identity" or "gzip"; "" leaves it to the transport
	buffer  *bytes.Buffer // the answer's body is read into it, and is good until its next use; nil is a new one
	etag    string        // answer 304 if it still is this
	dry     bool          // a dry run changes nothing
	time    time.Duration
}

func (r request) writes() bool { return r.method != http.MethodGet && !r.dry }

// answer is what came back, with a status of 2xx or 304.
type answer struct {
	status int
	header http.Header
	body   []byte
	wire   int64 // bytes of body as they travelled
	tries  int   // requests that it took
}

// broken is a request without an answer. sent: a connection was there, so it may have arrived.
type broken struct {
	err  error
	sent bool
	long bool // the answer is longer than any that we read: the next one would be too
}

func (b *broken) Error() string { return b.err.Error() }
func (b *broken) Unwrap() error { return b.err }

// call sends r and sorts its errors. What surely was not done (429, 401 with a token that may be renewed) is sent again,
// and so is a read that broke; a write that broke never is. It ends with r's time or ctx, whichever is first, and when
// the server wants a longer wait than is left it ends at once with fault.After saying so.
func (c *Cluster) call(ctx context.Context, r request) (answer, error) {
	if r.time == 0 {
		r.time = callTime
	}
	if r.writes() { // the server gives up with us: a stale write lands within this time or never
		r.query.Set("timeout", r.time.String())
	}
	ctx, cancel := context.WithTimeout(ctx, r.time)
	defer cancel()
	for try := 1; ; try++ {
		a, err := c.send(ctx, r)
		if err == nil {
			a.tries = try
			return a, nil
		}
		wait, again := c.again(r, err, try)
		if !again || try == maxTries || !sleep(ctx, wait) {
			return answer{}, r.sort(err)
		}
	}
}

// again is whether r may be sent once more after err, and after which wait.
func (c *Cluster) again(r request, err error, try int) (time.Duration, bool) {
	backoff := 100 * time.Millisecond << (try - 1)
	var b *broken
	var s *refused
	switch {
	case errors.As(err, &b):
		return backoff, !r.writes() && !b.long && try == 1
	case !errors.As(err, &s):
		return 0, false
	case s.status == http.StatusNotFound && s.nowhere():
		c.expire()
		return 0, false
	case s.disrupts():
		return 0, false // over when other pods are ready: the caller looks again
	case s.status == http.StatusTooManyRequests:
		return max(backoff, s.after), true
	case s.status == http.StatusUnauthorized:
		return 0, c.renews && try == 1 // the transport has forgotten the token and reads the file again
	case s.status >= http.StatusInternalServerError:
		return max(backoff, s.after), !r.writes()
	}
	return 0, false
}

// sleep waits for d and reports whether there is time left after it. A wait that ctx does not allow is not begun.
func sleep(ctx context.Context, d time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= d {
		return false
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// send makes one request and reads its answer. Its errors are *broken and *refused.
func (c *Cluster) send(ctx context.Context, r request) (answer, error) {
	resp, err := c.do(ctx, r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, wire, err := r.read(resp)
	switch {
	case err != nil:
		return answer{}, &broken{err: fmt.Errorf("read answer: %w", err), sent: true}
	case len(body) > maxAnswer:
		return answer{}, &broken{err: fmt.Errorf("answer is longer than %d MiB", maxAnswer>>20), sent: true, long: true}
	case resp.StatusCode >= http.StatusMultipleChoices && resp.StatusCode != http.StatusNotModified:
		return answer{}, refusal(resp.StatusCode, retryAfter(resp.Header), body)
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: body, wire: wire}, nil
}

// do makes one request, up to the head of its answer. Its errors are *broken.
func (c *Cluster) do(ctx context.Context, r request) (*http.Response, error) {
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	u := *c.base
	u.Path = path.Join("/", c.base.Path, r.path)
	u.RawQuery = r.query.Encode()
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", r.accept)
	if r.content != "" {
		req.Header.Set("Content-Type", r.content)
	}
	if r.coding != "" {
		req.Header.Set("Accept-Encoding", r.coding)
	}
	if r.etag != "" {
		req.Header.Set("If-None-Match", r.etag)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var ue *url.Error // names the URL again
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return nil, &broken{err: err, sent: sent.Load()}
	}
	return resp, nil
}

// retryAfter reads the header's seconds; the API server sends no dates.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return min(time.Duration(n)*time.Second, time.Hour)
}
