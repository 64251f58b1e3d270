// Package invoke turns Lambda's events into calls of use cases and their errors into what the platform understands. The
// functions and `slipway up` go through the same code. It imports no use case: functions hand theirs in, so that the
// webhook links neither helm nor client-go.
package invoke

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"slipway/internal/fault"
	"slipway/internal/git/hook"
	"slipway/internal/queue"
	"slipway/internal/revision"
)

// GitHubRoute is where GitHub sends its webhooks. The route says who sends, never a header (security W7: Gogs sends
// GitHub's headers too).
const GitHubRoute = "/hooks/github"

// enqueueTimeout leaves room below the three seconds in which a delivery is answered (security W13): GitHub ends the
// connection at ten and does not try again.
const enqueueTimeout = 2 * time.Second

// HTTP answers webhooks.
type HTTP struct {
	Hook  *hook.Hook
	Queue queue.Sender // moves
	Log   *slog.Logger
}

// Handle verifies a request, queues what has moved, and answers; it never returns an error, which API Gateway would
// answer with 500. The codes are those of reference security B.4.
func (h HTTP) Handle(ctx context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	start := time.Now()
	path := e.RawPath
	if stage := e.RequestContext.Stage; stage != "" && stage != "$default" { // rawPath starts with a named stage
		path = strings.TrimPrefix(path, "/"+stage)
	}
	d, err := h.read(ctx, path, e)
	if err == nil {
		err = h.enqueue(ctx, d.Moves, start)
	}
	a := answerTo(d, err)
	h.log(ctx, e, path, d, a, err, start)
	return a.response(), nil
}

func (h HTTP) read(ctx context.Context, path string, e events.APIGatewayV2HTTPRequest) (hook.Delivery, error) {
	body := []byte(e.Body)
	if e.IsBase64Encoded {
		if base64.StdEncoding.DecodedLen(len(body)) > h.Hook.MaxBody()+2 { // + padding
			return hook.Delivery{}, fault.New(fault.Invalid, "read body of %d base64 digits: %w, at most %d bytes", len(body), hook.ErrTooLarge, h.Hook.MaxBody())
		}
		raw, err := base64.StdEncoding.DecodeString(e.Body)
		if err != nil { // whoever sent this is not API Gateway: nothing is authentic
			return hook.Delivery{}, h.Hook.Refuse(ctx, body)
		}
		body = raw
	}
	if path != GitHubRoute || e.RequestContext.HTTP.Method != http.MethodPost {
		if len(body) > h.Hook.MaxBody() {
			return hook.Delivery{}, fault.New(fault.Invalid, "read body of %d bytes: %w, at most %d", len(body), hook.ErrTooLarge, h.Hook.MaxBody())
		}
		return hook.Delivery{}, h.Hook.Refuse(ctx, body)
	}
	return h.Hook.GitHub(ctx, lowerCase(e.Headers), body)
}

// lowerCase makes header names as API Gateway sends them; `sam local` sends Title-Case. Two that differ by case are
// joined as HTTP joins repeated headers, in the order of their names, so that no request is read in two ways.
func lowerCase(header map[string]string) map[string]string {
	low := make(map[string]string, len(header))
	for k, v := range header {
		l := strings.ToLower(k)
		if old, ok := low[l]; ok {
			v = max(old, v) + ", " + min(old, v)
		}
		low[l] = v
	}
	return low
}

// enqueue sends one message a branch. The group is the branch, so its moves are fetched one after the other; the
// delivery id makes a delivery that arrives twice one message.
func (h HTTP) enqueue(ctx context.Context, moves []revision.Move, received time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, enqueueTimeout)
	defer cancel()
	for i, m := range moves {
		m.Received = received.UnixMilli()
		body, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("encode move of %s: %w", m.Repository, err)
		}
		dedup := m.Delivery
		if i > 0 { // hosts other than GitHub send several branches in one delivery
			dedup = fmt.Sprintf("%s/%d", m.Delivery, i)
		}
		if err := h.Queue.Send(ctx, MoveGroup(m), dedup, string(body)); err != nil {
			return fmt.Errorf("queue move of %s: %w: %w", m.Repository, errQueue, err)
		}
	}
	return nil
}

// MoveGroup is the queue group of a move: one branch of one repository.
func MoveGroup(m revision.Move) string { return string(m.Repository) + "#" + m.Ref }

var errQueue = errors.New("queue is not available")
