// Package counted is a real cluster as deploy's and drift's tests use it: through kube, with every write counted, and
// through client-go for all who are not Slipway. Only tests import it, those with build tag `cluster`.
package counted

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"slipway/internal/app"
	"slipway/internal/kube"
	"slipway/internal/manifest"
	"slipway/test/cluster"
)

// Cluster is a cluster that remembers what was asked to be written through it, dry runs apart, and a namespace of the
// test's own in it.
type Cluster struct {
	*kube.Cluster
	Namespace string
	Others    dynamic.Interface // who works there too, as admin

	t      testing.TB
	mu     sync.Mutex
	writes []string
	before func(write string)
}

// Connect reaches the cluster that cluster.Main has started.
func Connect(t testing.TB) *Cluster {
	t.Helper()
	k, err := kube.Connect(app.Cluster{Name: "real", Kubeconfig: cluster.Kubeconfig()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	others, err := dynamic.NewForConfig(cluster.Admin(t))
	if err != nil {
		t.Fatal(err)
	}
	return &Cluster{Cluster: k, Namespace: cluster.Namespace(t), Others: others, t: t}
}

// Before sets what is called before each write is sent, which is such as "apply ConfigMap/a".
func (c *Cluster) Before(do func(write string)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.before = do
}

// Writes is what was to be written since the last Take, in order.
func (c *Cluster) Writes() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.writes)
}

// Take is the same, sorted, and begins anew.
func (c *Cluster) Take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.writes
	c.writes = nil
	slices.Sort(w)
	return w
}

func (c *Cluster) wrote(op string, id manifest.ID) {
	w := op + " " + id.Kind + "/" + id.Name
	c.mu.Lock()
	c.writes = append(c.writes, w)
	before := c.before
	c.mu.Unlock()
	if before != nil {
		before(w)
	}
}

// Apply is kube.Cluster's, counted.
func (c *Cluster) Apply(ctx context.Context, u *unstructured.Unstructured, dry bool) (*unstructured.Unstructured, []string, error) {
	if !dry {
		c.wrote("apply", manifest.IDOf(u))
	}
	return c.Cluster.Apply(ctx, u, dry)
}

// Adopt is kube.Cluster's, counted.
func (c *Cluster) Adopt(ctx context.Context, id manifest.ID, uid types.UID, rv string, e []metav1.ManagedFieldsEntry) (string, error) {
	c.wrote("adopt", id)
	return c.Cluster.Adopt(ctx, id, uid, rv, e)
}

// Delete is kube.Cluster's, counted.
func (c *Cluster) Delete(ctx context.Context, id manifest.ID, uid types.UID, rv string) error {
	c.wrote("delete", id)
	return c.Cluster.Delete(ctx, id, uid, rv)
}

// Patch is kube.Cluster's, counted.
func (c *Cluster) Patch(ctx context.Context, id manifest.ID, uid types.UID, rv string, ops []byte) (*unstructured.Unstructured, error) {
	c.wrote("patch", id)
	return c.Cluster.Patch(ctx, id, uid, rv, ops)
}

// At is a resource of the namespace, of others, by its plural, its version where that is not v1, and its group:
// configmaps, deployments.apps, widgets.v1beta1.example.com.
func (c *Cluster) At(plural string) dynamic.ResourceInterface {
	name, group, _ := strings.Cut(plural, ".")
	version := "v1"
	switch {
	case group == "autoscaling":
		version = "v2"
	case strings.HasPrefix(group, "v1beta1."), strings.HasPrefix(group, "v1alpha1."):
		version, group, _ = strings.Cut(group, ".")
	}
	return c.Others.Resource(schema.GroupVersionResource{Group: group, Version: version, Resource: name}).Namespace(c.Namespace)
}

// Object is YAML in the namespace.
func (c *Cluster) Object(text string) *unstructured.Unstructured {
	c.t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
		c.t.Fatal(err)
	}
	u.SetNamespace(c.Namespace)
	return u
}

// Eventually waits for what controllers do. It is given a minute, for a machine that is starved.
func (c *Cluster) Eventually(what string, is func() bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			c.t.Fatalf("in a minute not: %s", what)
		case <-again.C:
		}
	}
}
