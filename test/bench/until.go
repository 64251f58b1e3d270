package main

import (
	"context"
	"fmt"
	"time"
)

// until asks every so often, for so long at most.
func until(ctx context.Context, every, most time.Duration, ask func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		ok, err := ask()
		if err != nil || ok {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not seen in %s: %w", most, ctx.Err())
		case <-t.C:
		}
	}
}
