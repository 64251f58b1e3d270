package up

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"slipway/internal/app"
)

// Tutorial is a folder of manifests in the shape of an Argo CD tutorial, and the two clusters that its ApplicationSet
// names. Our own manifests and the originals are seen to do the same.
type Tutorial struct {
	Application    string // file: order-service in namespace production of the cluster itself, automated
	ApplicationSet string // file: order-service-staging and -production in two clusters, not automated
	Chart          string // folder that becomes apps/order-service
	Here           string // kubeconfig of the cluster itself and of production
	Staging        string // kubeconfig
}

// The names that the tutorial's manifests give.
const (
	tutorialRepo    = "myorg/k8s-config"
	OrderService    = app.Name("argocd/order-service")
	stagingApp      = app.Name("argocd/order-service-staging")
	productionApp   = app.Name("argocd/order-service-production")
	tutorialService = "order-service"
)

// Start runs `slipway up` with the two clusters of the ApplicationSet in its configuration.
func (tu Tutorial) Start(t testing.TB) (*Process, *Repo) {
	t.Helper()
	dir := t.TempDir()
	for name, from := range map[string]string{"staging": tu.Staging, "production": tu.Here} {
		b, err := os.ReadFile(from) //nolint:gosec // a test cluster's
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name+".kubeconfig"), b, 0o600) //nolint:gosec // below the folder of the test
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, "slipway.yaml")
	if err := os.WriteFile(config, []byte(`clusters:
  - name: staging
    server: https://staging.k8s.example.com
    kubeconfig: staging.kubeconfig
  - name: production
    server: https://production.k8s.example.com/
    kubeconfig: production.kubeconfig
hosts:
  github.com: local
`), 0o600); err != nil {
		t.Fatal(err)
	}
	p := Start(t, Options{Kubeconfig: tu.Here, Config: config, Root: tutorialRepo + ":argocd"})
	r := p.Repo(tutorialRepo)
	r.Copy(tu.Chart, "apps/order-service")
	return p, r
}

// SetIsRegisteredAndSyncedByHand pushes the ApplicationSet and sees that its applications wait for a person, who makes
// the namespace, since the set does not ask for it, and syncs them by the command line.
func (tu Tutorial) SetIsRegisteredAndSyncedByHand(t testing.TB, p *Process, r *Repo) {
	t.Helper()
	r.Copy(tu.ApplicationSet, "argocd/applicationset.yaml")
	sha := r.Push("Declare the set")
	for _, n := range []app.Name{stagingApp, productionApp} {
		Until(t, Seen, string(n)+" registered", func() (struct{}, bool, string) {
			a, err := p.Client.Application(t.Context(), n)
			return struct{}{}, err == nil && Wants(a, sha), fmt.Sprint(Say(a), err)
		})
		a := p.Application(n)
		if a.Status != "OutOfSync" || a.Last != nil {
			t.Errorf("%s, which nobody has synced: %s", n, Say(a))
		}
		if len(a.Warnings) == 0 || !strings.Contains(strings.Join(a.Warnings, "\n"), "project") {
			t.Errorf("%s has no project and no warning says so: %q", n, a.Warnings)
		}
	}
	if _, errs, code := p.Run("app", "sync", "order-service-staging"); code != 1 || !strings.Contains(errs, "production") {
		t.Errorf("synced into a namespace that is not there: exit code %d, %s", code, errs)
	}
	tu.namespace(t, tu.Staging)
	tu.namespace(t, tu.Here)
	for n, want := range map[app.Name]struct {
		kubeconfig string
		replicas   int32
	}{stagingApp: {tu.Staging, 1}, productionApp: {tu.Here, 5}} {
		if out, errs, code := p.Run("app", "sync", string(n)); code != 0 {
			t.Fatalf("sync %s: exit code %d: %s%s", n, code, out, errs)
		}
		if a := p.Application(n); a.Status != "Synced" {
			t.Errorf("after the sync: %s", Say(a))
		}
		name := strings.TrimPrefix(string(n), "argocd/")
		d, err := Client(t, want.kubeconfig).AppsV1().Deployments("production").Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if *d.Spec.Replicas != want.replicas {
			t.Errorf("%s has %d replicas, want %d: the values file of its element", n, *d.Spec.Replicas, want.replicas)
		}
	}
	if _, err := Client(t, tu.Staging).AppsV1().Deployments("production").Get(t.Context(), "order-service-production", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("production's Deployment in staging: %v", err)
	}
}

func (tu Tutorial) namespace(t testing.TB, kubeconfig string) {
	t.Helper()
	c := Client(t, kubeconfig).CoreV1().Namespaces()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "production"}}
	if _, err := c.Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// Client is a client of the cluster of a kubeconfig.
func Client(t testing.TB, kubeconfig string) *kubernetes.Clientset {
	t.Helper()
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	cfg.QPS = -1
	return kubernetes.NewForConfigOrDie(cfg)
}
