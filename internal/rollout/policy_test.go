package rollout

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway/internal/fault"
)

func TestAPolicyIsOneOfThreeAndRestartIsMeantWhereNothingIsSaid(t *testing.T) {
	for said, want := range map[string]Policy{"": Restart, "restart": Restart, "queue": Queue, "reject": Reject, "Queue": "", "never": ""} {
		got, err := PolicyOf(&metav1.ObjectMeta{Namespace: "shop", Name: "web", Annotations: map[string]string{supersedeNote: said}})
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", said, got, err)
		}
		if err != nil && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "shop/web: annotation "+supersedeNote)) {
			t.Error(err)
		}
	}
	if got, err := PolicyOf(&metav1.ObjectMeta{}); got != Restart || err != nil {
		t.Errorf("without annotations: %q, %v", got, err)
	}
}
