//go:build conformance && linux

package router

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"
)

// users send requests from the moment when the first is answered until the test's end, and count who answers.
type users struct {
	client *http.Client

	mu       sync.Mutex
	answers  map[string]int // by the version that gave it
	failures []string
}

const (
	crowd     = 8                     // requests at once, where they are counted
	breath    = 10 * time.Millisecond // between two requests at other times
	patience  = 30 * time.Second      // for one answer, on a starved machine
	longest   = 1 << 10               // bytes of an answer that are read
	hostNamed = "order-service.test"
)

func newUsers() *users {
	return &users{client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: crowd + 1}}, answers: map[string]int{}}
}

// ask is one request: the version that answers it.
func (u *users) ask(ctx context.Context) (version string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", http.NoBody)
	if err != nil {
		return "", err
	}
	req.Host = hostNamed
	resp, err := u.client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, longest))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, body)
	}
	return string(body), err
}

func (u *users) send(ctx context.Context) {
	version, err := u.ask(ctx)
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case ctx.Err() != nil: // the test's end has cut it off
	case err != nil:
		u.failures = append(u.failures, time.Now().Format(time.StampMilli)+" "+err.Error())
	default:
		u.answers[version]++
	}
}

// keepAsking goes on in the background until the test's end.
func (u *users) keepAsking(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(breath); ctx.Err() == nil; {
			u.send(ctx)
			select {
			case <-ctx.Done():
				tick.Stop()
			case <-tick.C:
			}
		}
	}()
	t.Cleanup(func() {
		stop()
		<-done
		u.client.CloseIdleConnections()
	})
}

// share sends n requests and is how much of all that was answered meanwhile was answered by a version, in percent. The
// requests of the background are among them: the router counts them, too.
func (u *users) share(ctx context.Context, n int, version string) float64 {
	before, all := u.counted(), 0
	var senders sync.WaitGroup
	for range crowd {
		senders.Go(func() {
			for range n / crowd {
				u.send(ctx)
			}
		})
	}
	senders.Wait()
	after := u.counted()
	for v, answers := range after {
		all += answers - before[v]
	}
	return 100 * float64(after[version]-before[version]) / float64(max(all, 1))
}

func (u *users) counted() map[string]int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return maps.Clone(u.answers)
}

// failed is what went wrong so far.
func (u *users) failed() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]string(nil), u.failures...)
}
