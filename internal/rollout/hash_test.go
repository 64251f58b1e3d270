package rollout

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The hashes are those that argo-rollouts v1.9.1 (utils/hash, utils/conditions) computes with the same k8s.io/api.
func TestHashesAreThoseOfArgoRollouts(t *testing.T) {
	one, two := int32(1), int32(2)
	template := canaryRollout(1).Spec.Template
	other := template.DeepCopy()
	other.Spec.Containers[0].Image = "web:2"
	for _, c := range []struct {
		template   *corev1.PodTemplateSpec
		collisions *int32
		want       string
	}{
		{&template, nil, "cb5d95cc5"}, {&template, &one, "7bbcdb6c58"}, {&template, &two, "65456446d5"}, {other, nil, "859687bffd"},
	} {
		if got, err := PodHash(c.template, c.collisions); err != nil || got != c.want {
			t.Errorf("%s, %v collisions: %s %v, want %s", c.template.Spec.Containers[0].Image, c.collisions, got, err, c.want)
		}
	}
	ro := canaryRollout(1, weightStep(10), pauseStep(60), analysisStep())
	if got, err := StepHash(ro.Spec.Strategy.Canary.Steps); err != nil || got != "c5dfdfd7d" {
		t.Errorf("steps: %s %v", got, err)
	}
	if got, err := StepHash(nil); err != nil || got != "5ffbfbbd64" {
		t.Errorf("no steps: %s %v", got, err)
	}
}

func TestADigestSurvivesAnotherVersionOfTheTypes(t *testing.T) {
	digest := func(change func(*corev1.PodTemplateSpec)) string {
		template := canaryRollout(1).Spec.Template
		change(&template)
		d, err := templateDigest(&template)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	plain := digest(func(*corev1.PodTemplateSpec) {})
	if got := digest(func(p *corev1.PodTemplateSpec) {
		p.CreationTimestamp = metav1.Time{}
		p.Spec.Containers[0].Resources = corev1.ResourceRequirements{}
	}); got != plain {
		t.Error("what Go writes by itself changes it")
	}
	seen := map[string]string{plain: "the plain one"}
	for name, change := range map[string]func(*corev1.PodTemplateSpec){
		"an image":          func(p *corev1.PodTemplateSpec) { p.Spec.Containers[0].Image = "web:2" },
		"a label":           func(p *corev1.PodTemplateSpec) { p.Labels["a"] = "b" },
		"an empty selector": func(p *corev1.PodTemplateSpec) { p.Spec.Affinity = affinity(&metav1.LabelSelector{}) },
		"no selector":       func(p *corev1.PodTemplateSpec) { p.Spec.Affinity = affinity(nil) },
	} {
		d := digest(change)
		if before, twice := seen[d]; twice {
			t.Errorf("%s has the digest of %s", name, before)
		}
		seen[d] = name
	}
}

func affinity(selector *metav1.LabelSelector) *corev1.Affinity {
	return &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{
		{TopologyKey: "kubernetes.io/hostname", LabelSelector: selector},
	}}}
}
