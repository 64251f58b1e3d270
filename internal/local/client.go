package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"slipway/internal/app"
	"slipway/internal/deploy"
	"slipway/internal/drift"
	"slipway/internal/fault"
)

// readyFile tells clients where the process of a folder listens.
const readyFile = "ready.json"

// answerCap bounds what a client reads: a diff of 2,000 objects is a few MiB.
const answerCap = 64 << 20

// Client speaks to a running slipway up.
type Client struct {
	url   string
	token string
	http  *http.Client
}

// Dial finds the process that runs in dir. Errors: NotFound if none was ever started there.
func Dial(dir string) (*Client, error) {
	b, err := os.ReadFile(filepath.Join(dir, readyFile)) //nolint:gosec // the folder is the user's own
	if err != nil {
		return nil, fault.New(fault.NotFound, "connect to %s: no slipway up runs there", dir)
	}
	var r Ready
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("connect to %s: read %s: %w", dir, readyFile, err)
	}
	k, err := loadKeys(dir)
	if err != nil {
		return nil, err
	}
	return &Client{url: r.URL, token: k.API, http: &http.Client{Timeout: time.Minute}}, nil
}

// Applications is every registered application.
func (c *Client) Applications(ctx context.Context) ([]Application, error) {
	var out []Application
	return out, c.call(ctx, http.MethodGet, "/v1/applications", &out)
}

// Application is one application with its history.
func (c *Client) Application(ctx context.Context, name app.Name) (Application, error) {
	var out Application
	return out, c.call(ctx, http.MethodGet, "/v1/applications/"+string(name), &out)
}

// Resources are an application's objects.
func (c *Client) Resources(ctx context.Context, name app.Name) ([]deploy.Resource, error) {
	var out []deploy.Resource
	return out, c.call(ctx, http.MethodGet, "/v1/applications/"+string(name)+"/resources", &out)
}

// Diff is what a sync would change.
func (c *Client) Diff(ctx context.Context, name app.Name) ([]deploy.Difference, error) {
	var out []deploy.Difference
	return out, c.call(ctx, http.MethodGet, "/v1/applications/"+string(name)+"/diff", &out)
}

// Sync asks for what is wanted now and returns at once; the seq asked for is in the answer's record.
func (c *Client) Sync(ctx context.Context, name app.Name) (Application, error) {
	var out Application
	return out, c.call(ctx, http.MethodPost, "/v1/applications/"+string(name)+"/sync", &out)
}

// Sweep looks for drift in the cluster of this name, or in all, and heals what may be healed.
func (c *Client) Sweep(ctx context.Context, cluster string) ([]drift.Report, error) {
	var out []drift.Report
	return out, c.call(ctx, http.MethodPost, "/v1/sweep?cluster="+url.QueryEscape(cluster), &out)
}

// Rollouts is every Rollout that is driven.
func (c *Client) Rollouts(ctx context.Context) ([]Rollout, error) {
	var out []Rollout
	return out, c.call(ctx, http.MethodGet, "/v1/rollouts", &out)
}

// Rollout is one Rollout, by cluster/namespace/name; NotFound names those that there are.
func (c *Client) Rollout(ctx context.Context, key string) (Rollout, error) {
	var out Rollout
	return out, c.call(ctx, http.MethodGet, "/v1/rollouts/"+key, &out)
}

// Steer asks a rollout to promote, promote-full, abort, retry, or its execution to stop; why is for an abort. It does not
// wait for what comes of it. Busy: it cannot be done now, with the reason.
func (c *Client) Steer(ctx context.Context, key, verb, why string) error {
	var out struct{}
	return c.call(ctx, http.MethodPost, "/v1/rollouts/"+key+"/"+verb+"?why="+url.QueryEscape(why), &out)
}

func (c *Client) call(ctx context.Context, method, path string, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, nil)
	if err != nil {
		return fmt.Errorf("ask %s: %w", path, err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(req)
	if err != nil {
		return fault.New(fault.Unavailable, "ask %s: is slipway up running? %w", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, answerCap))
	if err != nil {
		return fmt.Errorf("read answer to %s: %w", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		var f failed
		if json.Unmarshal(b, &f) != nil || f.Error == "" {
			f.Error = string(bytes.TrimSpace(b[:min(len(b), 200)]))
		}
		return fault.New(kindOf(f.Kind), "%s", f.Error)
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("decode answer to %s: %w", path, err)
	}
	return nil
}

func kindOf(name string) fault.Kind {
	for k := fault.Internal; k <= fault.Unfinished; k++ {
		if k.String() == name {
			return k
		}
	}
	return fault.Internal
}
