package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// applied watches one ConfigMap, so that it knows without slipway, and without asking it, when a push has arrived in the
// cluster.
type applied struct{ watch watch.Interface }

func watchChanged(ctx context.Context, kubeconfig, namespace string) (*applied, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("watch cluster: %w", err)
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("watch cluster: %w", err)
	}
	w, err := client.CoreV1().ConfigMaps(namespace).Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + changedName})
	if err != nil {
		return nil, fmt.Errorf("watch cluster: %w", err)
	}
	return &applied{w}, nil
}

// until waits until the ConfigMap has the value, and says when that was seen.
func (a *applied) until(ctx context.Context, value string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, seenWait)
	defer cancel()
	for {
		select {
		case e, ok := <-a.watch.ResultChan():
			if !ok {
				return time.Time{}, errors.New("watch cluster: the API server ended it")
			}
			if m, is := e.Object.(*corev1.ConfigMap); is && m.Data["value"] == value {
				return time.Now(), nil
			}
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("wait for value %s in the cluster: %w", value, ctx.Err())
		}
	}
}
