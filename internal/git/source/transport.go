package source

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"slipway/internal/fault"
	"slipway/internal/secret"
)

const (
	maxRedirects = 3                // security S6
	headerWait   = 30 * time.Second // first byte of an answer; a large archive is packed before it is sent
	dialWait     = 5 * time.Second
)

// capKey carries the largest answer that a request may read. A redirected request keeps its context and so its cap.
type capKey struct{}

// httpClient is the only way out of this package: dial guard, no proxy (a guard in front of a proxy would check the
// proxy's address), no transparent decompression (an answer is never larger than what was received), checked redirects.
func httpClient(c Host, base *url.URL) *http.Client {
	d := &net.Dialer{Timeout: dialWait, Control: guard(c.Private)}
	return &http.Client{
		Transport: &transport{
			host: c, api: base,
			next: &http.Transport{
				DialContext:            d.DialContext,
				TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
				TLSHandshakeTimeout:    dialWait,
				ResponseHeaderTimeout:  headerWait,
				IdleConnTimeout:        90 * time.Second,
				MaxIdleConnsPerHost:    16,
				MaxResponseHeaderBytes: 256 << 10,
				DisableCompression:     true,
				ForceAttemptHTTP2:      true,
			},
		},
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return fault.New(fault.Unavailable, "redirected more than %d times", maxRedirects)
			}
			return nil
		},
	}
}

// transport puts the credential on requests to the API's own host and on no other, checks where it goes and where it is
// sent to, and caps what is read.
type transport struct {
	host Host
	api  *url.URL
	next http.RoundTripper
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.allowed(req.URL); err != nil {
		return nil, err
	}
	if t.host.Token == nil || !t.isAPI(req.URL) {
		return t.send(req, secret.Value{})
	}
	token, err := t.host.Token(req.Context())
	if err != nil {
		return nil, err
	}
	resp, err := t.send(req, token)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	// Faults 34: an expired token is replaced once. The same one again would only be refused again.
	again, err := t.host.Token(req.Context())
	if err != nil || bytes.Equal(again.Reveal(), token.Reveal()) {
		return resp, nil //nolint:nilerr // the 401 says more than the token source
	}
	_ = resp.Body.Close()
	return t.send(req, again)
}

func (t *transport) send(req *http.Request, token secret.Value) (*http.Response, error) {
	r := req.Clone(req.Context())
	r.Header.Del("Authorization")
	r.Header.Del("Referer") // it would carry a redirect's credential to the next host
	if token.Len() > 0 {
		r.Header.Set("Authorization", "Bearer "+string(token.Reveal()))
	}
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if loc := resp.Header.Get("Location"); loc != "" && resp.StatusCode/100 == 3 {
		// Checked here, not by net/http: its error quotes the location, which may carry a credential (security X5).
		u, err := r.URL.Parse(loc)
		if err == nil {
			err = t.allowed(u)
		} else {
			err = fault.New(fault.Unavailable, "redirected to something that is not a URL")
		}
		if err != nil {
			_ = resp.Body.Close()
			return nil, err
		}
	}
	limit, ok := req.Context().Value(capKey{}).(int64)
	if !ok {
		limit = answerCap
	}
	resp.Body = &capped{body: resp.Body, left: limit, limit: limit}
	return resp, nil
}

func (t *transport) isAPI(u *url.URL) bool {
	return u.Scheme == t.api.Scheme && hostPort(u) == hostPort(t.api)
}

// allowed refuses a host that the configuration does not name, a downgrade to plain http, and a URL with a user.
func (t *transport) allowed(u *url.URL) error {
	known := t.isAPI(u)
	if !known && (u.Scheme == "https" || u.Scheme == "http" && t.host.Plain) {
		known = slices.ContainsFunc(t.host.Redirects, func(s string) bool {
			return hostPort(&url.URL{Scheme: u.Scheme, Host: s}) == hostPort(u)
		})
	}
	if !known || u.User != nil {
		return fault.New(fault.Invalid, "host %.100q over %.10q is not one that the configuration of %s allows", u.Host, u.Scheme, t.host.Name)
	}
	return nil
}

func hostPort(u *url.URL) string {
	p := u.Port()
	if p == "" {
		p = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), p)
}

// capped ends a body with an error, not with an end, when it is longer than allowed: half an answer is never taken for
// a whole one.
type capped struct {
	body        io.ReadCloser
	left, limit int64
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left < 0 {
		return 0, fault.New(fault.Unavailable, "the answer is larger than %d bytes", c.limit)
	}
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.body.Read(p)
	c.left -= int64(n)
	if c.left < 0 {
		return n + int(c.left), fault.New(fault.Unavailable, "the answer is larger than %d bytes", c.limit)
	}
	return n, err
}

func (c *capped) Close() error { return c.body.Close() }

// bounded is a body whose request ends with it: closing it ends the request's context.
type bounded struct {
	io.ReadCloser
	ctx  context.Context // the body's own life, ended by Close
	end  context.CancelFunc
	what string
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // io.Reader's contract is the plain value
		if fault.Of(err) == fault.Internal {
			err = fault.Wrap(fault.Unavailable, err)
		}
		if c := b.ctx.Err(); c != nil {
			err = fault.Wrap(fault.Unavailable, c)
		}
		err = fmt.Errorf("%s: %w", b.what, err)
	}
	return n, err
}

func (b *bounded) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}
