package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"slipway/internal/fault"
)

const (
	limitWait    = time.Minute // a rate limit that names no time: GitHub's advice for secondary limits
	limitWaitMax = time.Hour   // GitHub's limits are renewed every hour
)

// sort gives an error of the host its kind: 404 NotFound, 401 and 403 Denied, a rate limit Unavailable until its reset,
// 5xx and the network Unavailable. The text is ours: go-github's own quotes the URL, after a redirect with its
// credential.
func (h *host) sort(ctx context.Context, what string, err error) error {
	var (
		rate   *github.RateLimitError
		abuse  *github.AbuseRateLimitError
		answer *github.ErrorResponse
		factor *github.TwoFactorAuthError
		uerr   *url.Error
	)
	switch {
	case errors.As(err, &rate):
		return limited(what, time.Until(rate.Rate.Reset.Time))
	case errors.As(err, &abuse):
		return limited(what, abuse.GetRetryAfter())
	case errors.As(err, &answer):
		return h.answered(ctx, what, answer)
	case errors.As(err, &factor):
		return fault.New(fault.Denied, "%s: %s asks for a second factor", what, h.Name)
	case errors.As(err, &uerr):
		err = uerr.Err // without the URL
	}
	if fault.Of(err) == fault.Internal {
		err = fault.Wrap(fault.Unavailable, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (h *host) answered(ctx context.Context, what string, e *github.ErrorResponse) error {
	code, head := e.Response.StatusCode, e.Response.Header
	kind := fault.Internal
	switch {
	case code == http.StatusTooManyRequests, code == http.StatusForbidden && (head.Get("Retry-After") != "" || head.Get("X-Ratelimit-Remaining") == "0"):
		return limited(what, retryAfter(head))
	case code == http.StatusNotFound, code == http.StatusGone, code == http.StatusConflict, code == http.StatusUnprocessableEntity:
		kind = fault.NotFound // 409: the repository is empty; 422: no such commit
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusUnavailableForLegalReasons:
		kind = fault.Denied
	case code == http.StatusNotModified:
		return errNotModified
	case code >= 500:
		if d := retryAfter(head); d > 0 {
			return fault.Later(fault.Unavailable, min(d, limitWaitMax), fmt.Errorf("%s: %s answered %d", what, h.Name, code))
		}
		kind = fault.Unavailable
	}
	if e.Message == "" {
		return fault.New(kind, "%s: %s answered %d", what, h.Name, code)
	}
	return fault.New(kind, "%s: %s answered %d: %.200q", what, h.Name, code, h.scrub(ctx, e.Message))
}

// scrub takes our token out of what a host says, should it say it back to us.
func (h *host) scrub(ctx context.Context, s string) string {
	if h.Token == nil {
		return s
	}
	if token, err := h.Token(ctx); err == nil && token.Len() > 0 {
		s = strings.ReplaceAll(s, string(token.Reveal()), token.String())
	}
	return s
}

func limited(what string, wait time.Duration) error {
	if wait <= 0 {
		wait = limitWait
	}
	wait = min(max(wait, time.Second), limitWaitMax)
	return fault.Later(fault.Unavailable, wait, fmt.Errorf("%s: the rate limit is reached for %s", what, wait.Round(time.Second)))
}

// retryAfter reads Retry-After in seconds, else the reset of the rate limit in Unix seconds; 0 when neither is there.
func retryAfter(h http.Header) time.Duration {
	if s, err := strconv.Atoi(h.Get("Retry-After")); err == nil {
		return min(time.Duration(s)*time.Second, limitWaitMax)
	}
	if s, err := strconv.ParseInt(h.Get("X-Ratelimit-Reset"), 10, 64); err == nil && h.Get("X-Ratelimit-Remaining") == "0" {
		return time.Until(time.Unix(s, 0))
	}
	return 0
}

// errNotModified is a 304: an answer, not a failure.
var errNotModified = errors.New("not modified")
