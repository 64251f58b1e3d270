// Package sqs sends to SQS FIFO queues. Receiving is Lambda's part.
package sqs

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"slipway/internal/fault"
	"slipway/internal/queue"
)

// Sender sends to one queue, whose content-based deduplication is off: each message carries its own id.
type Sender struct {
	client *sqs.Client
	url    string
}

// New is a sender to the queue at url. The endpoint is the configuration's, so AWS_ENDPOINT_URL changes it.
func New(cfg aws.Config, url string) *Sender {
	return &Sender{client: sqs.NewFromConfig(cfg), url: url}
}

// Send implements queue.Sender. The SDK tries again within ctx's deadline. Errors: Invalid for the message, Denied for
// permissions, NotFound for the queue, Unavailable for everything that may be over soon.
func (s *Sender) Send(ctx context.Context, group, dedup, body string) error {
	if len(body) > queue.MaxBody {
		return fault.New(fault.Invalid, "send message of %d bytes: at most %d", len(body), queue.MaxBody)
	}
	_, err := s.client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &s.url, MessageBody: &body,
		MessageGroupId: aws.String(queue.GroupID(group)), MessageDeduplicationId: aws.String(queue.DedupID(dedup)),
	})
	if err != nil {
		return fault.Wrap(kind(err), fmt.Errorf("send message: %w", err))
	}
	return nil
}

func kind(err error) fault.Kind {
	if _, ok := errors.AsType[*types.QueueDoesNotExist](err); ok {
		return fault.NotFound
	}
	if _, ok := errors.AsType[*types.InvalidMessageContents](err); ok {
		return fault.Invalid
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		switch api.ErrorCode() {
		case "AccessDenied", "AccessDeniedException", "InvalidClientTokenId", "UnrecognizedClientException", "ExpiredToken", "KmsAccessDenied", "AWS.SimpleQueueService.KmsAccessDenied":
			return fault.Denied
		case "InvalidParameterValue", "InvalidAttributeValue", "MissingParameter":
			return fault.Invalid
		}
	}
	return fault.Unavailable
}
