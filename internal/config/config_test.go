package config

import (
	"strings"
	"testing"

	"slipway/internal/fault"
)

func env(v map[string]string) Lookup {
	return func(name string) (string, bool) { s, ok := v[name]; return s, ok }
}

func TestTheWebhooksEnvironmentIsChecked(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-west-1")
	good := map[string]string{"QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/moves.fifo", "WEBHOOK_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hook-AbCdEf"}
	w, err := ForWebhook(t.Context(), env(good))
	if err != nil || w.QueueURL != good["QUEUE_URL"] || w.AWS.Region != "eu-west-1" || w.MaxBody != 0 || w.Keys == nil {
		t.Fatalf("got %+v, %v", w, err)
	}
	for _, c := range []struct{ name, value string }{
		{"QUEUE_URL", ""}, {"QUEUE_URL", "moves.fifo"}, {"QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/123456789012/moves"}, {"QUEUE_URL", "https://user:TOPSECRET@sqs/1/moves.fifo"}, {"QUEUE_URL", "file:///moves.fifo"},
		{"WEBHOOK_SECRET_ARN", ""}, {"WEBHOOK_SECRET_ARN", " \n"},
		{"MAX_BODY_BYTES", "1MiB"}, {"MAX_BODY_BYTES", "0"}, {"MAX_BODY_BYTES", "-1"}, {"MAX_BODY_BYTES", "999999999999999999999"}, {"MAX_BODY_BYTES", "6291457"},
	} {
		bad := map[string]string{"QUEUE_URL": good["QUEUE_URL"], "WEBHOOK_SECRET_ARN": good["WEBHOOK_SECRET_ARN"], c.name: c.value}
		_, err := ForWebhook(t.Context(), env(bad))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.name) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "TOPSECRET") {
			t.Errorf("%s=%q: %v, want one line that names it", c.name, c.value, err)
		}
	}
	good["MAX_BODY_BYTES"] = "2048"
	if w, err := ForWebhook(t.Context(), env(good)); err != nil || w.MaxBody != 2048 {
		t.Errorf("got %d, %v", w.MaxBody, err)
	}
}
