package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	secretARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hook-AbCdEf" //nolint:gosec // a name
	queueURL  = "https://sqs.eu-west-1.amazonaws.com/123456789012/moves.fifo"
)

// cloud is the Runtime API that Lambda gives a function, with no events, and the secret that the webhook reads as it
// starts.
type cloud struct {
	server *http.Server
	addr   string

	mu     sync.Mutex
	asked  chan time.Time
	secret bool // read since expect
}

func newCloud(ctx context.Context) (*cloud, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	c := &cloud{addr: ln.Addr().String()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", c.next)
	mux.HandleFunc("POST /{$}", c.tell)
	// lambda.WithEnableSIGTERM registers an extension, without which a function gets no signal.
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Lambda-Extension-Identifier", "1")
		_, _ = w.Write([]byte("{}"))
	})
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c.server = &http.Server{Handler: mux, ReadHeaderTimeout: startWait}
	go func() {
		if err := c.server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "bench: serve Runtime API:", err)
		}
	}()
	return c, nil
}

func (c *cloud) close() { _ = c.server.Close() }

// expect is told when the next function asks for its first event, if it has read the secret by then.
func (c *cloud) expect() <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked, c.secret = make(chan time.Time, 1), false
	return c.asked
}

func (c *cloud) next(_ http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	if c.secret {
		select {
		case c.asked <- time.Now():
		default: // it has asked already
		}
	}
	c.mu.Unlock()
	<-r.Context().Done()
}

// tell is Secrets Manager.
func (c *cloud) tell(w http.ResponseWriter, r *http.Request) {
	if target := r.Header.Get("X-Amz-Target"); target != "secretsmanager.GetSecretValue" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	c.secret = true
	c.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(map[string]string{"ARN": secretARN, "SecretString": strings.Repeat("example-", 5)})
}

func (c *cloud) env() []string {
	return []string{
		"AWS_LAMBDA_RUNTIME_API=" + c.addr, "AWS_ENDPOINT_URL=http://" + c.addr, "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=id",
		"AWS_SECRET_ACCESS_KEY=key", "AWS_LAMBDA_FUNCTION_NAME=webhook", "QUEUE_URL=" + queueURL, "WEBHOOK_SECRET_ARN=" + secretARN,
	}
}
