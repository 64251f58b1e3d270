package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"slipway/internal/queue"
	"slipway/internal/revision"
)

const example = "slipway-example-secret-slipway-example" // of events/README.md

func TestTheFunctionRefusesToStartWithoutAGoodSecret(t *testing.T) { // security W1
	for name, c := range map[string]struct {
		secret string
		change map[string]string
		want   string
	}{
		"missing":        {example, map[string]string{"WEBHOOK_SECRET_ARN": ""}, "WEBHOOK_SECRET_ARN is missing"},
		"not to be read": {example, map[string]string{"WEBHOOK_SECRET_ARN": "arn:other"}, "arn:other"},
		"empty":          {"", nil, `"current" is empty`},
		"blank":          {" \n", nil, `"current" is empty`},
		"short":          {"only-31-bytes-are-not-enough-yet"[:31], nil, "31 bytes, want at least 32"},
		"short previous": {`{"current":"` + example + `","previous":"short"}`, nil, `"previous" has 5 bytes`},
		"no queue":       {example, map[string]string{"QUEUE_URL": ""}, "QUEUE_URL is missing"},
		"no size":        {example, map[string]string{"MAX_BODY_BYTES": "big"}, "MAX_BODY_BYTES"},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := newCloud(t, c.secret)
			for k, v := range cloud.env() {
				t.Setenv(k, v)
			}
			for k, v := range c.change {
				t.Setenv(k, v)
			}
			err := run(t.Context(), slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, c.want)
			} else if len(c.secret) > 3 && strings.Contains(err.Error(), c.secret) {
				t.Errorf("the error holds the secret: %v", err)
			}
			select {
			case <-cloud.ready:
				t.Error("it asked for an event")
			default:
			}
		})
	}
}

// build is the function as the template builds it.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "bootstrap")
	c := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-tags", "lambda.norpc", "-o", bin, ".")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// start runs the function with the cloud's environment and nothing else.
func start(t *testing.T, bin string, c *cloud) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd, log := exec.CommandContext(ctx, bin), &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = log, log
	for k, v := range c.env() {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, log
}

func TestASignedPushGoesThroughTheFunctionIntoTheQueue(t *testing.T) {
	bin, cloud := build(t), newCloud(t, `{"current":"a-new-secret-that-nobody-uses-so-far","previous":"`+example+`"}`)
	cmd, log := start(t, bin, cloud)
	for _, c := range []struct {
		file string
		code int
	}{{"ping.json", 200}, {"push-unsigned.json", 401}, {"push.json", 202}, {"push-base64.json", 202}} {
		e, err := os.ReadFile(filepath.Join("../../events/http", c.file))
		if err != nil {
			t.Fatal(err)
		}
		var answer struct{ StatusCode int }
		select {
		case cloud.events <- string(e):
		case <-time.After(30 * time.Second):
			t.Fatalf("%s: the function does not ask for events: %s", c.file, log)
		}
		if err := json.Unmarshal([]byte(<-cloud.answers), &answer); err != nil || answer.StatusCode != c.code {
			t.Errorf("%s: answer %d, %v, want %d", c.file, answer.StatusCode, err, c.code)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	cloud.mu.Lock()
	defer cloud.mu.Unlock()
	if len(cloud.sent) != 2 {
		t.Fatalf("queued %v, want both pushes", cloud.sent)
	}
	var m revision.Move
	if err := json.Unmarshal([]byte(cloud.sent[0]["MessageBody"]), &m); err != nil {
		t.Fatal(err)
	}
	if m.Repository != "github.com/myorg/k8s-config" || m.Ref != "main" || m.Received == 0 || cloud.sent[0]["QueueUrl"] != queueURL ||
		cloud.sent[0]["MessageDeduplicationId"] != m.Delivery || cloud.sent[0]["MessageGroupId"] != queue.GroupID("github.com/myorg/k8s-config#main") {
		t.Errorf("queued %+v in %v", m, cloud.sent[0])
	}
	if n := strings.Count(log.String(), `"msg":"webhook"`); n != 4 || !strings.Contains(log.String(), `"key":"previous"`) || strings.Contains(log.String(), example) {
		t.Errorf("%d lines of four deliveries:\n%s", n, log)
	}
}

func TestAFunctionWithABadSecretEndsWithOneLine(t *testing.T) { // reference fault 64
	cmd, log := start(t, build(t), newCloud(t, "short"))
	if err := cmd.Wait(); err == nil {
		t.Error("it ended well")
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "has 5 bytes") {
		t.Errorf("%d lines:\n%s", n, log)
	}
}
