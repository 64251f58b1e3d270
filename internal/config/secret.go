package config

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"slipway/internal/fault"
	"slipway/internal/secret"
)

// minSecret is in bytes: a key shorter than the hash weakens HMAC-SHA256 (security W1).
const minSecret = 32

// secretTimeout bounds one read; the first happens before the function takes events.
const secretTimeout = 5 * time.Second

// fromSecretsManager reads a secret's current version each time it is called.
func fromSecretsManager(cfg aws.Config, arn string) func(context.Context) ([]secret.Key, error) {
	client := secretsmanager.NewFromConfig(cfg)
	return func(ctx context.Context) ([]secret.Key, error) {
		ctx, cancel := context.WithTimeout(ctx, secretTimeout)
		defer cancel()
		out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
		if err != nil {
			return nil, fault.Wrap(fault.Unavailable, fmt.Errorf("read secret %.200s: %w", arn, err))
		}
		keys, err := Keys(aws.ToString(out.SecretString))
		if err != nil {
			return nil, fmt.Errorf("read secret %.200s: %w", arn, err)
		}
		return keys, nil
	}
}

// Keys are the keys in a secret's text: the text itself, or {"current":"...","previous":"..."} while a secret is being
// replaced. Space around a key is not part of it (an editor's last newline). The error never holds the text.
func Keys(text string) ([]secret.Key, error) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") {
		return checked(secret.Key{ID: "current", Value: secret.Of(text)})
	}
	var two struct {
		Current  string `json:"current"`
		Previous string `json:"previous"`
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&two); err != nil || d.More() { // err may quote the text
		return nil, fault.New(fault.Invalid, `parse secret: want a text, or JSON with "current" and "previous" and nothing else`)
	}
	keys := []secret.Key{{ID: "current", Value: secret.Of(strings.TrimSpace(two.Current))}}
	if p := strings.TrimSpace(two.Previous); p != "" {
		keys = append(keys, secret.Key{ID: "previous", Value: secret.Of(p)})
	}
	return checked(keys...)
}

func checked(keys ...secret.Key) ([]secret.Key, error) {
	for _, k := range keys {
		switch n := k.Value.Len(); {
		case n == 0:
			return nil, fault.New(fault.Invalid, "check secret: %q is empty", k.ID)
		case n < minSecret:
			return nil, fault.New(fault.Invalid, "check secret: %q has %d bytes, want at least %d", k.ID, n, minSecret)
		}
	}
	return keys, nil
}
