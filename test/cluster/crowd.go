package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"slipway/internal/manifest"
)

const (
	crowdWorkers   = 32
	crowdNamespace = 10 // applications in each namespace
)

// CrowdApplications is how many applications Crowd makes of n objects.
func CrowdApplications(n int) int { return (n + crowdSize - 1) / crowdSize }

// CrowdName is the name of an application of Crowd, from 0.
func CrowdName(application int) string { return fmt.Sprintf("argocd/crowd-%05d", application) }

// CrowdKinds are the kinds of Crowd's objects.
func CrowdKinds() []schema.GroupKind {
	var kinds []schema.GroupKind
	for i := range crowdSize * len(crowdOthers) { // by then each of the others has been there
		m := crowdObject(i)
		u := unstructured.Unstructured{Object: m.object}
		if gk := u.GroupVersionKind().GroupKind(); !slices.Contains(kinds, gk) {
			kinds = append(kinds, gk)
		}
	}
	return kinds
}

// Crowd applies n objects of CrowdApplications(n) applications to a cluster, as sync does: by server-side apply, manager
// slipway, with label and annotations. Of ten objects three are Deployments, without replicas so that controllers touch
// them and no pods come, two are Services, two ConfigMaps and three of other kinds. Run again it changes nothing.
func Crowd(ctx context.Context, kubeconfig string, n int) error {
	c, err := newCrowd(kubeconfig)
	if err != nil {
		return err
	}
	for i := 0; i < CrowdApplications(n); i += crowdNamespace {
		ns := map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": crowdSpace(i)}}
		if err := c.apply(ctx, "/api/v1/namespaces/"+crowdSpace(i), ns); err != nil {
			return err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(crowdWorkers)
	for i := range n {
		g.Go(func() error {
			m := stamped(i)
			u := unstructured.Unstructured{Object: m.object}
			return c.apply(ctx, m.path+"/namespaces/"+u.GetNamespace()+"/"+m.resource+"/"+u.GetName(), m.object)
		})
	}
	return g.Wait()
}

type crowd struct {
	base *url.URL
	http *http.Client
}

func newCrowd(kubeconfig string) (*crowd, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, err
	}
	base, _, err := rest.DefaultServerUrlFor(cfg)
	if err != nil {
		return nil, err
	}
	return &crowd{base, client}, nil
}

func (c *crowd) apply(ctx context.Context, path string, object map[string]any) error {
	body, err := json.Marshal(object)
	if err != nil {
		return err
	}
	query := url.Values{"fieldManager": {manifest.Manager}, "force": {"true"}, "fieldValidation": {"Strict"}}
	err = c.do(ctx, http.MethodPatch, path, query, body, nil)
	for try := 0; errors.Is(err, errBusy) && try < applyTries; try++ { // 97,000 objects were lost to one 504
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second << try):
		}
		err = c.do(ctx, http.MethodPatch, path, query, body, nil)
	}
	return err
}

// errBusy is of a server that may do it later; an apply may be sent again.
var errBusy = errors.New("the API server is busy")

const applyTries = 5

func (c *crowd) do(ctx context.Context, method, path string, query url.Values, body []byte, into any) (err error) {
	u := *c.base
	u.Path, u.RawQuery = path, query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/apply-patch+yaml")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode >= http.StatusMultipleChoices {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10)) //nolint:errcheck // for people
		err := fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, strings.TrimSpace(string(text)))
		if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= http.StatusInternalServerError {
			return errors.Join(errBusy, err)
		}
		return err
	}
	if into == nil {
		_, err = io.Copy(io.Discard, resp.Body) // the connection is used again
		return err
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

const crowdSpaces = "crowd-"

func crowdSpace(application int) string {
	return fmt.Sprintf(crowdSpaces+"%04d", application/crowdNamespace)
}
