package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"slipway/infra/crds"
)

// InstallCRDs gives the package's cluster the kinds of Argo Rollouts, once however many tests ask, and returns when all
// of them answer and are discovered.
func InstallCRDs(t testing.TB) {
	t.Helper()
	admin := Admin(t)
	installing.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 3*requestDeadline)
		defer cancel()
		installing.err = install(ctx, admin)
	})
	if installing.err != nil {
		t.Fatal("install CRDs:", installing.err)
	}
}

var installing struct {
	sync.Once
	err error
}

func install(ctx context.Context, config *rest.Config) error {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	definitions := client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	var kinds []schema.GroupVersionResource
	for text := range strings.SplitSeq(crds.YAML, "\n---\n") {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
			return err
		}
		if _, err := definitions.Apply(ctx, u.GetName(), u, metav1.ApplyOptions{FieldManager: "test"}); err != nil {
			return err
		}
		plural, group, _ := strings.Cut(u.GetName(), ".")
		kinds = append(kinds, schema.GroupVersionResource{Group: group, Version: "v1alpha1", Resource: plural})
	}
	for {
		missing, err := unserved(ctx, config, client, kinds)
		if missing == "" && err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("kind %s does not answer or is not discovered: %w", missing, ctx.Err()), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// unserved is a kind that does not answer yet, or that discovery does not show: the two do not come together.
func unserved(ctx context.Context, config *rest.Config, client dynamic.Interface, kinds []schema.GroupVersionResource) (string, error) {
	for _, kind := range kinds {
		if _, err := client.Resource(kind).List(ctx, metav1.ListOptions{Limit: 1}); err != nil {
			return kind.Resource, err
		}
	}
	d, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return "", err
	}
	_, lists, err := d.ServerGroupsAndResources()
	if err != nil {
		return "", err
	}
	shown := map[schema.GroupVersionResource]bool{}
	for _, l := range lists {
		for _, r := range l.APIResources {
			shown[schema.FromAPIVersionAndKind(l.GroupVersion, "").GroupVersion().WithResource(r.Name)] = true
		}
	}
	for _, kind := range kinds {
		if !shown[kind] {
			return kind.Resource, nil
		}
	}
	return "", nil
}
