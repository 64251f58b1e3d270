package invoke

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"slipway/internal/fault"
	"slipway/internal/git/hook"
	"slipway/internal/queue"
	"slipway/internal/queue/memory"
	"slipway/internal/revision"
	"slipway/internal/secret"
)

const example = "slipway-example-secret-slipway-example" // of events/README.md

type web struct {
	HTTP
	queue *memory.Queue
	lines *bytes.Buffer
}

func newWeb(t testing.TB, maxBody int) web {
	t.Helper()
	h, err := hook.New(t.Context(), hook.Static(secret.Key{ID: "current", Value: secret.Of(example)}), maxBody)
	if err != nil {
		t.Fatal(err)
	}
	w := web{queue: memory.New(memory.Options{}), lines: &bytes.Buffer{}}
	w.HTTP = HTTP{Hook: h, Queue: w.queue, Log: slog.New(slog.NewJSONHandler(w.lines, nil))}
	return w
}

func (w web) do(t *testing.T, e events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
	t.Helper()
	a, err := w.Handle(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// line is the one log line that there must be.
func (w web) line(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if n := strings.Count(w.lines.String(), "\n"); n != 1 {
		t.Fatalf("%d log lines:\n%s", n, w.lines)
	}
	if err := json.Unmarshal(w.lines.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func load[T any](t testing.TB, name string) (v T) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../events", name))
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := any(&v).(*string); ok {
		*s = string(b)
	} else if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// signed is an authentic delivery of body.
func signed(event, body string) events.APIGatewayV2HTTPRequest {
	m := hmac.New(sha256.New, []byte(example))
	m.Write([]byte(body))
	e := events.APIGatewayV2HTTPRequest{RawPath: GitHubRoute, Body: body, Headers: map[string]string{
		"content-type": "application/json", "x-github-event": event, "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
		"x-hub-signature-256": "sha256=" + hex.EncodeToString(m.Sum(nil)),
	}}
	e.RequestContext.HTTP.Method = "POST"
	return e
}

func TestAPushIsQueuedForItsBranch(t *testing.T) {
	for _, file := range []string{"http/push.json", "http/push-base64.json"} {
		w := newWeb(t, 0)
		e := load[events.APIGatewayV2HTTPRequest](t, file)
		before := time.Now().UnixMilli()
		if a := w.do(t, e); a.StatusCode != 202 || a.Body != `{"outcome":"queued"}` {
			t.Errorf("%s: answer %d %s", file, a.StatusCode, a.Body)
		}
		got, err := w.queue.Receive(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		var m revision.Move
		if err := json.Unmarshal([]byte(got[0].Body), &m); err != nil {
			t.Fatal(err)
		}
		if m.Received < before || m.Received > time.Now().UnixMilli() {
			t.Errorf("%s: received at %d, want now in milliseconds", file, m.Received)
		}
		m.Received = 0
		if want := (revision.Move{Repository: "github.com/myorg/k8s-config", Ref: "main", Default: true, Hint: "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c", Delivery: e.Headers["x-github-delivery"]}); m != want {
			t.Errorf("%s: queued %+v, want %+v", file, m, want)
		}
		if got[0].Group != queue.GroupID("github.com/myorg/k8s-config#main") {
			t.Errorf("%s: group %s", file, got[0].Group)
		}
		l := w.line(t)
		if l["outcome"] != "queued" || l["key"] != "current" || l["delivery"] != m.Delivery || l["repository"] != "github.com/myorg/k8s-config" || l["ref"] != "main" {
			t.Errorf("%s: log %v", file, l)
		}
	}
}

func TestADeliveryThatArrivesTwiceIsOneMessage(t *testing.T) {
	w := newWeb(t, 0)
	for range 2 {
		if a := w.do(t, load[events.APIGatewayV2HTTPRequest](t, "http/push.json")); a.StatusCode != 202 {
			t.Errorf("answer %d", a.StatusCode)
		}
	}
	if w.queue.Len() != 1 {
		t.Errorf("%d messages, want 1", w.queue.Len())
	}
}

func TestHeaderNamesHaveNoCase(t *testing.T) { // `sam local start-api` sends Title-Case
	w := newWeb(t, 0)
	e := load[events.APIGatewayV2HTTPRequest](t, "http/push.json")
	titled := map[string]string{}
	for k, v := range e.Headers {
		titled[strings.ToUpper(k[:1])+k[1:]] = v
	}
	e.Headers = titled
	if a := w.do(t, e); a.StatusCode != 202 {
		t.Errorf("answer %d", a.StatusCode)
	}
	titled["x-hub-signature-256"] = "sha256=" + strings.Repeat("0", 64)
	for range 20 { // two of one name: never the one that fits
		if a := w.do(t, e); a.StatusCode != 401 {
			t.Fatalf("answer %d to two signatures", a.StatusCode)
		}
	}
}

// malformed are requests that queue nothing; the code and a word of the log line are what each gets.
func malformed(t *testing.T) map[string]struct {
	e    events.APIGatewayV2HTTPRequest
	code int
	log  string
} {
	push := load[string](t, "github/push.json")
	with := func(e events.APIGatewayV2HTTPRequest, change func(*events.APIGatewayV2HTTPRequest)) events.APIGatewayV2HTTPRequest {
		change(&e)
		return e
	}
	header := func(k, v string) events.APIGatewayV2HTTPRequest {
		return with(signed("push", push), func(e *events.APIGatewayV2HTTPRequest) { e.Headers[k] = v })
	}
	type E = *events.APIGatewayV2HTTPRequest
	return map[string]struct {
		e    events.APIGatewayV2HTTPRequest
		code int
		log  string
	}{
		"no signature":                    {load[events.APIGatewayV2HTTPRequest](t, "http/push-unsigned.json"), 401, "verify signature"},
		"SHA-1 signature":                 {header("x-hub-signature-256", "sha1="+strings.Repeat("a", 40)), 401, "verify signature"},
		"signature of another body":       {with(signed("push", push), func(e E) { e.Body += " " }), 401, "verify signature"},
		"unknown route":                   {with(signed("push", push), func(e E) { e.RawPath = "/hooks/gitlab" }), 401, "verify signature"},
		"route with a slash more":         {with(signed("push", push), func(e E) { e.RawPath += "/" }), 401, "verify signature"},
		"GET":                             {with(signed("push", push), func(e E) { e.RequestContext.HTTP.Method = "GET" }), 401, "verify signature"},
		"base64 that is none":             {with(signed("push", push), func(e E) { e.IsBase64Encoded = true }), 401, "verify signature"},
		"empty event":                     {events.APIGatewayV2HTTPRequest{}, 401, "verify signature"},
		"body too large":                  {signed("push", push+strings.Repeat(" ", hook.DefaultMaxBody)), 413, "too large"},
		"body too large, unsigned":        {with(signed("push", strings.Repeat("x", hook.DefaultMaxBody+1)), func(e E) { e.Headers = nil }), 413, "too large"},
		"base64 body too large":           {with(signed("push", push), func(e E) { e.Body, e.IsBase64Encoded = strings.Repeat("AAAA", hook.DefaultMaxBody), true }), 413, "too large"},
		"headers too large":               {header("x-long", strings.Repeat("a", 20_000)), 413, "too large"},
		"form-encoded":                    {with(signed("push", load[string](t, "github/push.form")), func(e E) { e.Headers["content-type"] = "application/x-www-form-urlencoded" }), 400, "content type to application/json"},
		"no content type":                 {header("content-type", ""), 400, "content type"},
		"no event":                        {header("x-github-event", ""), 400, "X-GitHub-Event"},
		"delivery id with control codes":  {header("x-github-delivery", "\x1b[2J"), 400, "X-GitHub-Delivery"},
		"not JSON":                        {signed("push", "hello"), 400, "parse push"},
		"empty body":                      {signed("push", ""), 400, "parse push"},
		"truncated JSON":                  {signed("push", push[:len(push)/2]), 400, "parse push"},
		"JSON after JSON":                 {signed("push", push+push), 400, "parse push"},
		"nested too deep":                 {signed("push", strings.Repeat("[", 10_000)), 400, "nested deeper"},
		"ref of the wrong type":           {signed("push", `{"ref":{"a":1}}`), 400, "parse push"},
		"null":                            {signed("push", `null`), 400, "repository is missing"},
		"ping that is not JSON":           {signed("ping", `{`), 400, "not JSON"},
		"CVE-2025-59531 Bitbucket Server": {signed("push", load[string](t, "github/cve-2025-59531.json")), 400, "parse push"},
		"CVE-2025-59537 Gogs":             {signed("push", load[string](t, "github/cve-2025-59537.json")), 400, "repository is missing"},
		"CVE-2025-59538 Azure DevOps":     {signed("push", load[string](t, "github/cve-2025-59538.json")), 400, "repository is missing"},
		"repository is a local file":      {signed("push", strings.ReplaceAll(push, "https://github.com/myorg/k8s-config.git", "file:///etc/passwd")), 400, "not a URL of a git repository"},
		"after is not a commit":           {signed("push", strings.ReplaceAll(push, "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c", "main")), 400, "parse commit id"},
		"ref climbs":                      {signed("push", strings.ReplaceAll(push, "refs/heads/main", "refs/heads/../x")), 400, "parse ref"},
	}
}

func TestAMalformedWebhookQueuesNothingAndLogsOneLine(t *testing.T) {
	for name, c := range malformed(t) {
		t.Run(name, func(t *testing.T) {
			w := newWeb(t, 0)
			a := w.do(t, c.e)
			l := w.line(t)
			text, _ := l["error"].(string)
			if a.StatusCode != c.code || !strings.Contains(text, c.log) || l["code"] != float64(c.code) {
				t.Errorf("answer %d, log %v; want %d, %q", a.StatusCode, l, c.code, c.log)
			}
			if w.queue.Len() != 0 {
				t.Errorf("%d messages queued", w.queue.Len())
			}
			if w.lines.Len() > 2000 {
				t.Errorf("the log line has %d bytes", w.lines.Len())
			}
			if (c.code == 400) != (l["key"] == "current") {
				t.Errorf("log %v: only an authentic delivery is malformed", l)
			}
		})
	}
}

func TestWhoIsNotAuthenticLearnsNothing(t *testing.T) { // security W14
	bodies := map[string]bool{}
	for name, c := range malformed(t) {
		if c.code == 401 {
			a := newWeb(t, 0).do(t, c.e)
			b, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			if bodies[string(b)] = true; len(bodies) > 1 {
				t.Errorf("%s: another answer than the others: %s", name, b)
			}
		}
	}
	if len(bodies) != 1 {
		t.Errorf("%d answers", len(bodies))
	}
}

func TestWhatIsNotUsedIsAnsweredWith200(t *testing.T) {
	for file, event := range map[string]string{"push-branch-deleted.json": "push", "push-tag-deleted.json": "push", "pull-request.json": "pull_request", "ping.json": "ping"} {
		w := newWeb(t, 0)
		a := w.do(t, signed(event, load[string](t, "github/"+file)))
		if l := w.line(t); a.StatusCode != 200 || w.queue.Len() != 0 || l["reason"] == "" || l["level"] != "INFO" {
			t.Errorf("%s: answer %d %s, %d messages, log %v", file, a.StatusCode, a.Body, w.queue.Len(), l)
		}
	}
}

type sender func(ctx context.Context) error

func (s sender) Send(ctx context.Context, _, _, _ string) error { return s(ctx) }

func TestAQueueThatIsAwayIsToldWithinThreeSeconds(t *testing.T) { // security W13, reference fault 13
	for name, s := range map[string]sender{
		"slow":    func(ctx context.Context) error { <-ctx.Done(); return fault.Wrap(fault.Unavailable, ctx.Err()) },
		"away":    func(context.Context) error { return fault.New(fault.Unavailable, "dial: refused") },
		"refused": func(context.Context) error { return fault.New(fault.Denied, "no permission") },
		"unknown": func(context.Context) error { return errors.New("odd\nthing") },
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWeb(t, 0)
			w.HTTP.Queue = s
			start := time.Now()
			a := w.do(t, load[events.APIGatewayV2HTTPRequest](t, "http/push.json"))
			if d := time.Since(start); a.StatusCode != 503 || d > 3*time.Second {
				t.Errorf("%s: answer %d after %s", name, a.StatusCode, d)
			}
			if l := w.line(t); l["level"] != "ERROR" || l["outcome"] != "unavailable" {
				t.Errorf("%s: log %v", name, l)
			}
		})
	}
}

func TestANamedStageIsNotPartOfTheRoute(t *testing.T) {
	w := newWeb(t, 0)
	e := load[events.APIGatewayV2HTTPRequest](t, "http/push.json")
	e.RequestContext.Stage, e.RawPath = "prod", "/prod"+GitHubRoute
	if a := w.do(t, e); a.StatusCode != 202 {
		t.Errorf("answer %d", a.StatusCode)
	}
}
