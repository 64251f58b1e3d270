package githost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	deliveryWait  = 10 * time.Second // GitHub waits as long
	deliveryTries = 5                // GitHub tries once; here the receiver may still be starting
	deliveryPause = 50 * time.Millisecond
)

var errRefused = errors.New("refused")

func (h *Host) enqueue(d Delivery) {
	if h.opts.Deliver == nil && h.opts.WebhookURL == "" {
		return
	}
	select {
	case h.deliveries <- d:
	default:
		h.opts.Log.Warn("git host: webhook dropped, too many wait", "repository", d.Repository, "ref", d.Ref)
	}
}

// deliver sends what is queued, one after the other, in the order of the pushes.
func (h *Host) deliver(ctx context.Context) {
	defer close(h.stopped)
	for {
		select {
		case <-ctx.Done():
			return
		case d := <-h.deliveries:
			if err := h.try(ctx, d); err != nil {
				h.opts.Log.Warn("git host: webhook lost", "repository", d.Repository, "ref", d.Ref, "delivery", d.Header.Get("X-GitHub-Delivery"), "error", err)
			}
		}
	}
}

func (h *Host) try(ctx context.Context, d Delivery) error {
	send := h.opts.Deliver
	if send == nil {
		send = h.Post
	}
	pause := deliveryPause
	for n := 1; ; n++ {
		err := send(ctx, d)
		if err == nil || errors.Is(err, errRefused) || n == deliveryTries {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
			pause *= 2
		}
	}
}

// Post sends a delivery to the webhook's URL, once. Any answer but 2xx is an error.
func (h *Host) Post(ctx context.Context, d Delivery) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.opts.WebhookURL, bytes.NewReader(d.Body))
	if err != nil {
		return fmt.Errorf("deliver webhook: %w", err)
	}
	req.Header = d.Header.Clone()
	resp, err := h.client.Do(req)
	if err != nil {
		return fmt.Errorf("deliver webhook: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	switch {
	case resp.StatusCode/100 == 2:
		return nil
	case resp.StatusCode/100 == 4 && resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusRequestTimeout:
		return fmt.Errorf("deliver webhook: answered %d: %w", resp.StatusCode, errRefused)
	}
	return fmt.Errorf("deliver webhook: answered %d", resp.StatusCode)
}
