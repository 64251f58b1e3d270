package cluster

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"slipway/internal/manifest"
)

const (
	crowdSettlePause = 200 * time.Millisecond
	crowdSettleTime  = 5 * time.Minute // without any progress
)

// crowdControlled are the kinds of Crowd that a controller writes a status of.
var crowdControlled = []string{"/apis/apps/v1/%s/deployments", "/apis/apps/v1/%s/statefulsets", "/apis/policy/v1/%s/poddisruptionbudgets"}

// CrowdSettled waits until the controllers have written the last that they have to say of Crowd's objects. It goes from
// namespace to namespace: of 100,000 objects, to list all of them again and again would keep the controllers from it.
func CrowdSettled(ctx context.Context, kubeconfig string) error {
	c, err := newCrowd(kubeconfig)
	if err != nil {
		return err
	}
	spaces, err := c.spaces(ctx)
	if err != nil {
		return err
	}
	for _, space := range spaces {
		for _, path := range crowdControlled {
			if err := c.settled(ctx, fmt.Sprintf(path, "namespaces/"+space)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *crowd) spaces(ctx context.Context) ([]string, error) {
	var list struct {
		Items []struct{ Metadata struct{ Name string } }
	}
	if err := c.do(ctx, http.MethodGet, "/api/v1/namespaces", nil, nil, &list); err != nil {
		return nil, err
	}
	var out []string
	for _, n := range list.Items {
		if strings.HasPrefix(n.Metadata.Name, crowdSpaces) {
			out = append(out, n.Metadata.Name)
		}
	}
	return out, nil
}

func (c *crowd) settled(ctx context.Context, path string) error {
	before, since := -1, time.Now()
	for {
		left, err := c.unsettled(ctx, path)
		if err != nil || left == 0 {
			return err
		}
		if left != before {
			before, since = left, time.Now()
		}
		if time.Since(since) > crowdSettleTime {
			return fmt.Errorf("wait for controllers: %d objects of %s are as they were %s ago", left, path, crowdSettleTime)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for controllers: %d objects of %s are left: %w", left, path, ctx.Err())
		case <-time.After(crowdSettlePause):
		}
	}
}

// settling is an object as far as it tells whether its controller is done.
type settling struct {
	Metadata struct{ Generation int64 }
	Status   struct {
		ObservedGeneration int64
		Conditions         []struct{ Type, Reason string }
	}
}

// done: the last that a Deployment's controller writes is that its ReplicaSet is available (kubernetes
// pkg/controller/deployment/progress.go).
func (o settling) done(deployment bool) bool {
	available := !deployment
	for _, s := range o.Status.Conditions {
		available = available || s.Type == "Progressing" && s.Reason == "NewReplicaSetAvailable"
	}
	return available && o.Status.ObservedGeneration >= o.Metadata.Generation
}

// unsettled is how many objects a controller has yet to write to.
func (c *crowd) unsettled(ctx context.Context, path string) (int, error) {
	var list struct{ Items []settling }
	query := url.Values{"labelSelector": {manifest.Label}, "resourceVersion": {"0"}}
	if err := c.do(ctx, http.MethodGet, path, query, nil, &list); err != nil {
		return 0, err
	}
	left := 0
	for _, o := range list.Items {
		if !o.done(strings.HasSuffix(path, "/deployments")) {
			left++
		}
	}
	return left, nil
}
