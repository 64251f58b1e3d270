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
	rolloutKinds.install(t, crds.YAML)
}

// InstallHTTPRoutes is the same for the HTTPRoute of the Gateway API, whose rules are one piece to the API server. Its
// schema is no more than that.
func InstallHTTPRoutes(t testing.TB) {
	t.Helper()
	routeKinds.install(t, routeDefinition)
}

const routeDefinition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: httproutes.gateway.networking.k8s.io
  annotations: {api-approved.kubernetes.io: https://github.com/kubernetes-sigs/gateway-api/pull/2997}
spec:
  group: gateway.networking.k8s.io
  scope: Namespaced
  names: {kind: HTTPRoute, plural: httproutes}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              rules:
                type: array
                x-kubernetes-list-type: atomic
                items: {type: object, x-kubernetes-preserve-unknown-fields: true}
`

var rolloutKinds, routeKinds kinds

// kinds are installed once.
type kinds struct {
	once sync.Once
	err  error
}

func (k *kinds) install(t testing.TB, definitions string) {
	t.Helper()
	admin := Admin(t)
	k.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 3*requestDeadline)
		defer cancel()
		k.err = install(ctx, admin, definitions)
	})
	if k.err != nil {
		t.Fatal("install CRDs:", k.err)
	}
}

func install(ctx context.Context, config *rest.Config, texts string) error {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	definitions := client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	var kinds []schema.GroupVersionResource
	for text := range strings.SplitSeq(texts, "\n---\n") {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
			return err
		}
		if _, err := definitions.Apply(ctx, u.GetName(), u, metav1.ApplyOptions{FieldManager: "test"}); err != nil {
			return err
		}
		plural, group, _ := strings.Cut(u.GetName(), ".")
		version := "v1alpha1"
		if group != "argoproj.io" {
			version = "v1"
		}
		kinds = append(kinds, schema.GroupVersionResource{Group: group, Version: version, Resource: plural})
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
