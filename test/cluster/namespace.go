package cluster

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	// A namespace's name is a DNS label, 63 characters; generateName adds 5 of its own.
	nameLimit = 63 - 5 - 1
	// One request to a server beside us; so long only when the machine is starved.
	requestDeadline = 30 * time.Second
)

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// Namespace makes a fresh namespace named after the test, with a suffix that keeps repetitions (-count) apart, and
// answers with its name when its ServiceAccount is there, so that pods can be made. It is deleted at the test's end;
// nobody waits for that, since the namespace controller takes 5 to 10 s.
func Namespace(t testing.TB) string {
	t.Helper()
	client, err := kubernetes.NewForConfig(Admin(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), requestDeadline)
	defer cancel()
	ns, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: prefix(t.Name())},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal("make namespace:", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), requestDeadline) // t.Context has ended
		defer cancel()
		if err := client.CoreV1().Namespaces().Delete(ctx, ns.Name, metav1.DeleteOptions{}); err != nil {
			t.Log("delete namespace:", err) // a test may delete its namespace itself
		}
	})
	for {
		_, err := client.CoreV1().ServiceAccounts(ns.Name).Get(ctx, "default", metav1.GetOptions{})
		if err == nil {
			return ns.Name
		}
		select {
		case <-ctx.Done():
			t.Fatalf("namespace %s has no ServiceAccount in %s: %v", ns.Name, requestDeadline, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// prefix turns a test's name into the start of a namespace's: TestX/refuses_a_b is x-refuses-a-b-.
func prefix(test string) string {
	name := notInName.ReplaceAllString(strings.ToLower(strings.TrimPrefix(test, "Test")), "-")
	name = strings.Trim(name, "-")
	if len(name) > nameLimit {
		name = strings.Trim(name[:nameLimit], "-")
	}
	if name == "" {
		name = "test"
	}
	return name + "-"
}
