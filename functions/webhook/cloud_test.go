package main

import (
	"crypto/md5" //nolint:gosec // what SQS answers with
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// cloud is as much of SQS and Secrets Manager as the function calls, and the Runtime API that Lambda gives a sandbox.
type cloud struct {
	*httptest.Server
	events  chan string // in
	answers chan string // out
	ready   chan struct{}
	once    sync.Once

	mu     sync.Mutex
	secret string
	sent   []map[string]string
}

const (
	runtimeAPI = "/2018-06-01/runtime/invocation/"
	queueURL   = "https://sqs.eu-west-1.amazonaws.com/123456789012/moves.fifo"
	secretARN  = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hook-AbCdEf"
)

func newCloud(t *testing.T, secret string) *cloud {
	t.Helper()
	c := &cloud{events: make(chan string), answers: make(chan string, 1), ready: make(chan struct{}), secret: secret}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{$}", c.aws)
	mux.HandleFunc("GET "+runtimeAPI+"next", c.next)
	mux.HandleFunc("POST "+runtimeAPI+"{id}/{how}", func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || r.PathValue("how") != "response" {
			t.Errorf("invocation ended with %s: %s, %v", r.PathValue("how"), b, err)
		}
		w.WriteHeader(http.StatusAccepted)
		c.answers <- string(b)
	})
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Lambda-Extension-Identifier", "1")
		_, _ = io.WriteString(w, "{}")
	})
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c.Server = httptest.NewServer(mux)
	t.Cleanup(c.CloseClientConnections)
	return c
}

func (c *cloud) next(w http.ResponseWriter, r *http.Request) {
	c.once.Do(func() { close(c.ready) })
	select {
	case e := <-c.events:
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", "4102444800000")
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:webhook")
		_, _ = io.WriteString(w, e)
	case <-r.Context().Done():
	}
}

func (c *cloud) aws(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var in map[string]string
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var out map[string]string
	switch target := r.Header.Get("X-Amz-Target"); {
	case target == "secretsmanager.GetSecretValue" && in["SecretId"] == secretARN:
		out = map[string]string{"ARN": secretARN, "SecretString": c.secret}
	case target == "AmazonSQS.SendMessage":
		c.sent = append(c.sent, in)
		sum := md5.Sum([]byte(in["MessageBody"])) //nolint:gosec // as above
		out = map[string]string{"MessageId": "1", "MD5OfMessageBody": hex.EncodeToString(sum[:])}
	default:
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(out)
}

// env is what Lambda and the template give the function.
func (c *cloud) env() map[string]string {
	return map[string]string{
		"AWS_LAMBDA_RUNTIME_API": c.Listener.Addr().String(), "AWS_ENDPOINT_URL": c.URL, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key",
		"AWS_LAMBDA_FUNCTION_NAME": "webhook", "QUEUE_URL": queueURL, "WEBHOOK_SECRET_ARN": secretARN,
	}
}
