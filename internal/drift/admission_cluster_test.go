//go:build cluster

package drift

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"

	"slipway/test/cluster"
)

// webhook binds a policy that mutates what is written in the test's namespace, and waits until it does.
func (r *real) webhook(text string) {
	r.t.Helper()
	const group = "admissionregistration.k8s.io"
	d := discovery.NewDiscoveryClientForConfigOrDie(cluster.Admin(r.t))
	version := ""
	for _, v := range []string{"v1", "v1beta1", "v1alpha1"} {
		l, err := d.ServerResourcesForGroupVersion(group + "/" + v)
		if err != nil {
			continue
		}
		for _, res := range l.APIResources {
			if res.Name == "mutatingadmissionpolicies" && version == "" {
				version = v
			}
		}
	}
	if version == "" {
		r.t.Fatal("the API server serves no MutatingAdmissionPolicy")
	}
	fill := strings.NewReplacer("VERSION", version, "NS", r.Namespace)
	r.clusterWide(group, version, "mutatingadmissionpolicies", fill.Replace(text))
	r.clusterWide(group, version, "mutatingadmissionpolicybindings", fill.Replace(`apiVersion: admissionregistration.k8s.io/VERSION
kind: MutatingAdmissionPolicyBinding
metadata: {name: NS}
spec: {policyName: NS, matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NS}}}}
`))
	r.Eventually("the policy is enforced", func() bool {
		u, err := r.At(configMaps).Create(r.t.Context(), r.Object("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: probe}\n"), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err == nil && u.GetAnnotations()["example.com/injected"] == "yes"
	})
}
