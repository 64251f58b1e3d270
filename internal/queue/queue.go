// Package queue is first-in-first-out queues with groups: one message of a group at a time, in order, redelivered until
// it is deleted, put aside after too many tries. It holds the interfaces and what every queue shares; queuetest is the
// contract, memory and sqs are the queues. A message says where to look and is never the data itself (security X6).
package queue

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// What AWS allows (SQS developer guide, FIFO queues and quotas). The memory queue keeps to the same, so that nothing
// works locally and fails there.
const (
	DedupWindow = 5 * time.Minute // a second message with the same deduplication id is dropped for so long
	MaxBody     = 256 << 10       // bytes
	MaxBatch    = 10              // messages of one Receive
	MaxDelay    = 12 * time.Hour
	maxID       = 128 // characters of a group or deduplication id, ASCII only
)

// Message is one delivery of a message. ID stays the same over redeliveries; Receipt is this delivery's.
type Message struct {
	ID       string
	Group    string // as GroupID gives it
	Body     string
	Receives int // deliveries so far, this one counted
	Receipt  string
}

// Sender puts a message at the end of its group. dedup is what makes a second send the same message: a webhook's
// delivery id, or empty for a message that is always new (a derived id would drop a force-push back within five
// minutes). Errors: Invalid for a body that is too long, Unavailable when the queue cannot take it now.
type Sender interface {
	Send(ctx context.Context, group, dedup, body string) error
}

// Receiver hands out messages. Receive waits for at least one, and returns ctx's error when ctx ends first; with more
// than one the messages of a group are in order. A message that is neither deleted nor delayed comes again after the
// queue's visibility timeout, and its group waits for it. Delete and Delay refuse a receipt that is no longer the
// message's own with Conflict.
type Receiver interface {
	Receive(ctx context.Context, limit int) ([]Message, error)
	Delete(ctx context.Context, receipt string) error
	// Delay makes the message come again after d, 0 meaning now, instead of after the visibility timeout.
	Delay(ctx context.Context, receipt string, d time.Duration) error
}

// Queue is both ends.
type Queue interface {
	Sender
	Receiver
}

// GroupID is the group as queues store it: the SHA-256 in hexadecimal, because branch names are longer than a group id
// may be and are not always ASCII.
func GroupID(group string) string {
	sum := sha256.Sum256([]byte(group))
	return hex.EncodeToString(sum[:])
}

// DedupID is the deduplication id as queues store it: itself if it is of the form that SQS allows, its SHA-256 if not,
// and a random one for the empty string.
func DedupID(dedup string) string {
	if dedup == "" {
		return rand.Text()
	}
	odd := func(r rune) bool { return r <= ' ' || r > '~' }
	if len(dedup) > maxID || strings.ContainsFunc(dedup, odd) {
		return GroupID(dedup)
	}
	return dedup
}
