//go:build cluster

package cluster

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"slipway/internal/manifest"
)

func TestACrowdIsAppliedAsSyncDoesAndTouchedByControllers(t *testing.T) {
	for range 2 { // the second time changes nothing
		if err := Crowd(t.Context(), Kubeconfig(), 95); err != nil {
			t.Fatal(err)
		}
	}
	if err := CrowdSettled(t.Context(), Kubeconfig()); err != nil {
		t.Fatal(err)
	}
	client := kubernetes.NewForConfigOrDie(Admin(t))
	list, err := client.AppsV1().Deployments("").List(t.Context(), metav1.ListOptions{LabelSelector: manifest.Label})
	if err != nil {
		t.Fatal(err)
	}
	applications := map[string]bool{}
	for _, d := range list.Items {
		applications[d.Annotations[manifest.ApplicationNote]] = true
		if len(d.ManagedFields) < 2 || d.ManagedFields[0].Manager != manifest.Manager || d.Annotations[manifest.DigestNote] == "" || d.Generation != 1 {
			t.Errorf("%s: %v", d.Name, d.ManagedFields)
		}
	}
	if len(list.Items) != 30 || len(applications) != CrowdApplications(95) || len(CrowdKinds()) != 12 {
		t.Errorf("%d Deployments of %d applications, kinds %v", len(list.Items), len(applications), CrowdKinds())
	}
	pods, err := client.CoreV1().Pods(crowdSpace(0)).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(pods.Items) != 0 {
		t.Errorf("%d pods, %v", len(pods.Items), err)
	}
}
