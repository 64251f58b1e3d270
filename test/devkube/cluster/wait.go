package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// A start takes 2 s on an idle machine and has taken 7 s at a load of 15; builds beside it may take longer still.
const (
	startDeadline = 90 * time.Second
	pollInterval  = 20 * time.Millisecond
)

// until asks again until done answers nil, a component fails, ctx ends or the time is over. The last answer is
// the reason in the error.
func (c *Cluster) until(ctx context.Context, what string, done func(context.Context) error) error {
	limit, cancel := context.WithTimeout(ctx, startDeadline)
	defer cancel()
	for {
		last := done(limit)
		if last == nil {
			return nil
		}
		select {
		case err := <-c.failed:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.Done():
			return fmt.Errorf("wait for %s: not in %s: %w", what, startDeadline, last)
		case <-time.After(pollInterval):
		}
	}
}

func (c *Cluster) waitReadyz(ctx context.Context) error {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(c.pki.caPEM)
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer client.CloseIdleConnections()
	return c.until(ctx, "kube-apiserver /readyz", func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+"/readyz?verbose", nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", resp.Status, body)
		}
		return err
	})
}

func (c *Cluster) waitNodes(ctx context.Context, want int) error {
	client, err := kubernetes.NewForConfig(c.admin)
	if err != nil {
		return err
	}
	return c.until(ctx, "nodes", func(ctx context.Context) error {
		nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
		if err != nil {
			return err
		}
		ready := 0
		for _, n := range nodes.Items {
			for _, cond := range n.Status.Conditions {
				if cond.Type == corev1.NodeReady && cond.Status == corev1.ConditionTrue {
					ready++
				}
			}
		}
		if ready < want {
			return fmt.Errorf("%d of %d Ready", ready, want)
		}
		return nil
	})
}

// waitServiceAccount waits for what every pod needs before it can be made.
func (c *Cluster) waitServiceAccount(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.admin)
	if err != nil {
		return err
	}
	return c.until(ctx, "ServiceAccount default", func(ctx context.Context) error {
		_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}
