// Command webhook is the function that git hosts send their webhooks to. It has the webhook secrets and the queue of
// moves; no git token and no cluster.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"slipway/internal/config"
	"slipway/internal/git/hook"
	"slipway/internal/invoke"
	"slipway/internal/queue/sqs"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	if err := run(context.Background(), log); err != nil {
		log.Error("webhook does not start", "error", err.Error())
		os.Exit(1)
	}
}

// run fails fast: without a good secret the function takes no events (security W1, reference fault 64). It returns only
// then.
func run(ctx context.Context, log *slog.Logger) error {
	c, err := config.ForWebhook(ctx, os.LookupEnv)
	if err != nil {
		return err
	}
	h, err := hook.New(ctx, c.Keys, c.MaxBody)
	if err != nil {
		return err
	}
	web := invoke.HTTP{Hook: h, Queue: sqs.New(c.AWS, c.QueueURL), Log: log}
	lambda.StartWithOptions(web.Handle, lambda.WithContext(ctx), lambda.WithEnableSIGTERM(func() { os.Exit(0) })) // nothing is in hand between events
	return nil
}
