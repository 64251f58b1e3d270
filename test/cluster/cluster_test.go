//go:build cluster

package cluster

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

func TestMain(m *testing.M) { Main(m) }

func TestANamespaceIsFreshNamedAfterItsTestAndTakesPods(t *testing.T) {
	client := kubernetes.NewForConfigOrDie(Admin(t))
	first, second := Namespace(t), Namespace(t)
	if first == second || !strings.HasPrefix(first, "anamespaceisfresh") {
		t.Fatalf("namespaces %q and %q", first, second)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "web:1"}}},
	}
	if _, err := client.CoreV1().Pods(first).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	w, err := client.CoreV1().Pods(first).Watch(t.Context(), metav1.ListOptions{TimeoutSeconds: new(int64(30))})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	for e := range w.ResultChan() {
		if p, ok := e.Object.(*corev1.Pod); ok && p.Status.Phase == corev1.PodRunning {
			return
		}
	}
	t.Fatal("the pod was not Running in 30 s")
}

func TestANamespaceGoesWithItsTest(t *testing.T) {
	client := kubernetes.NewForConfigOrDie(Admin(t))
	var name string
	t.Run("inner", func(t *testing.T) { name = Namespace(t) })
	ns, err := client.CoreV1().Namespaces().Get(t.Context(), name, metav1.GetOptions{})
	if err == nil && ns.DeletionTimestamp == nil {
		t.Fatalf("namespace %s is still there", name)
	}
}

// Each component that writes is told apart in managed fields, which is what drift is found by.
func TestEveryComponentWritesUnderItsOwnName(t *testing.T) {
	client := kubernetes.NewForConfigOrDie(Admin(t))
	ctx, cancel := context.WithTimeout(t.Context(), requestDeadline)
	defer cancel()
	seen := map[string]bool{}
	for !seen["kwok"] || !seen["kube-controller-manager"] {
		nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatalf("managers of the nodes so far %v: %v", seen, err)
		}
		for _, n := range nodes.Items {
			for _, e := range n.ManagedFields {
				seen[e.Manager] = true
			}
		}
	}
	if seen["devkube"] || seen["up"] {
		t.Fatalf("a component writes under the binary's name: %v", seen)
	}
}

func TestATestMayHaveAClusterOfItsOwn(t *testing.T) {
	own := Own(t, "--nodes=0", "--scheduler=false", "--controller-manager=false")
	client := kubernetes.NewForConfigOrDie(config(t, own.Kubeconfig))
	nodes, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(nodes.Items) != 0 {
		t.Fatalf("nodes %v, error %v", nodes, err)
	}
	if own.URL == shared.URL {
		t.Fatal("it is the shared one")
	}
}
