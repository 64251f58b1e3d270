// Package config is what a function reads from its environment, and the secrets that it names. Everything is checked
// before the function starts; an error is one line that names the variable and never holds a secret.
package config

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"slipway/internal/fault"
	"slipway/internal/secret"
)

// Lookup is os.LookupEnv, or a test's.
type Lookup func(name string) (string, bool)

// awsTimeout bounds the setup of the SDK; in Lambda it reads only the environment.
const awsTimeout = 5 * time.Second

// Webhook is the configuration of the webhook function.
type Webhook struct {
	AWS      aws.Config
	QueueURL string                                          // of moves.fifo
	Keys     func(ctx context.Context) ([]secret.Key, error) // reads the webhook secret, newest version
	MaxBody  int                                             // bytes; 0 is the hook's own default
}

// ForWebhook reads QUEUE_URL, WEBHOOK_SECRET_ARN and MAX_BODY_BYTES. It does not read the secret yet.
func ForWebhook(ctx context.Context, env Lookup) (Webhook, error) {
	var w Webhook
	var err error
	if w.QueueURL, err = queueURL(env, "QUEUE_URL"); err != nil {
		return w, err
	}
	arn, err := need(env, "WEBHOOK_SECRET_ARN")
	if err != nil {
		return w, err
	}
	if w.MaxBody, err = size(env, "MAX_BODY_BYTES"); err != nil {
		return w, err
	}
	ctx, cancel := context.WithTimeout(ctx, awsTimeout)
	defer cancel()
	if w.AWS, err = config.LoadDefaultConfig(ctx); err != nil {
		return w, fmt.Errorf("load AWS configuration: %w", err)
	}
	w.Keys = fromSecretsManager(w.AWS, arn)
	return w, nil
}

func need(env Lookup, name string) (string, error) {
	v, _ := env(name)
	if v = strings.TrimSpace(v); v == "" {
		return "", fault.New(fault.Invalid, "read environment: %s is missing", name)
	}
	return v, nil
}

func queueURL(env Lookup, name string) (string, error) {
	v, err := need(env, name)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || !strings.HasSuffix(u.Path, ".fifo") {
		return "", fault.New(fault.Invalid, "read environment: %s is not the URL of a FIFO queue", name)
	}
	return v, nil
}

// maxSize is what Lambda takes in a synchronous invocation.
const maxSize = 6 << 20

func size(env Lookup, name string) (int, error) {
	v, ok := env(name)
	if !ok || v == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1024 || n > maxSize {
		return 0, fault.New(fault.Invalid, "read environment: %s is %.40q, want a number of bytes from 1024 to %d", name, v, maxSize)
	}
	return n, nil
}
