package invoke

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-lambda-go/events"

	"slipway/internal/fault"
	"slipway/internal/git/hook"
)

// answer is what a request gets: who is not authenticated always gets the same text, without names or versions
// (security W14; CVE-2025-58445 and CVE-2022-41354 told them).
type answer struct {
	code    int
	outcome string
	reason  string // only to authentic senders, of whose payload it speaks
}

func answerTo(d hook.Delivery, err error) answer {
	switch {
	case errors.Is(err, errQueue): // a person can redeliver; the sweep finds it anyway
		return answer{http.StatusServiceUnavailable, "unavailable", ""}
	case errors.Is(err, hook.ErrTooLarge):
		return answer{http.StatusRequestEntityTooLarge, "too large", ""}
	case err != nil && d.KeyID == "":
		return answer{http.StatusUnauthorized, "unauthorized", ""}
	case fault.Is(err, fault.Invalid):
		return answer{http.StatusBadRequest, "malformed", err.Error()}
	case err != nil:
		return answer{http.StatusInternalServerError, "failed", ""}
	case d.Event == "ping":
		return answer{http.StatusOK, "pong", ""}
	case len(d.Moves) == 0:
		return answer{http.StatusOK, "ignored", d.Ignored}
	}
	return answer{http.StatusAccepted, "queued", ""}
}

func (a answer) response() events.APIGatewayV2HTTPResponse {
	body, err := json.Marshal(struct {
		Outcome string `json:"outcome"`
		Reason  string `json:"reason,omitempty"`
	}{a.outcome, cut(a.reason)})
	if err != nil { // two strings: cannot be
		body = []byte(`{}`)
	}
	return events.APIGatewayV2HTTPResponse{
		StatusCode: a.code,
		Headers:    map[string]string{"content-type": "application/json", "cache-control": "no-store"},
		Body:       string(body),
	}
}

// log writes the one line of a delivery.
func (h HTTP) log(ctx context.Context, e events.APIGatewayV2HTTPRequest, path string, d hook.Delivery, a answer, err error, start time.Time) {
	attrs := []slog.Attr{
		slog.String("delivery", cut(d.ID)), slog.String("event", cut(d.Event)), slog.String("outcome", a.outcome), slog.Int("code", a.code),
		slog.String("from", cut(e.RequestContext.HTTP.SourceIP)), slog.Int64("ms", time.Since(start).Milliseconds()),
	}
	if d.KeyID != "" {
		attrs = append(attrs, slog.String("key", d.KeyID))
	} else {
		attrs = append(attrs, slog.String("path", cut(path)))
	}
	for _, m := range d.Moves {
		attrs = append(attrs, slog.String("repository", cut(string(m.Repository))), slog.String("ref", cut(m.Ref)), slog.String("hint", m.Hint.Short()))
	}
	if d.Ignored != "" {
		attrs = append(attrs, slog.String("reason", d.Ignored))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", cut(err.Error())))
	}
	if stale := h.Hook.Stale(); stale != nil {
		attrs = append(attrs, slog.String("secrets", cut(stale.Error())))
	}
	level := slog.LevelInfo
	switch {
	case a.code >= http.StatusInternalServerError:
		level = slog.LevelError
	case a.code >= http.StatusBadRequest:
		level = slog.LevelWarn
	}
	h.Log.LogAttrs(ctx, level, "webhook", attrs...)
}

// cutAt bounds a log field that comes from outside; errors of ours quote less of it and fit.
const cutAt = 500

// cut makes a text from outside fit for a log line: printable and short (security X7; CVE-2021-21303 was terminal
// control characters). The JSON handler quotes it.
func cut(s string) string {
	n := 0
	return strings.Map(func(r rune) rune {
		switch n++; {
		case n > cutAt:
			return -1
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, s[:min(len(s), 4*cutAt)])
}
