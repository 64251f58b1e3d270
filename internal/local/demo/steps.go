package demo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
	"slipway/internal/local"
	"slipway/internal/manifest"
)

const (
	orderService = app.Name("argocd/order-service")
	values       = "apps/order-service/values-production.yaml"
	newTag       = "4f1d0c7"
)

var (
	deployment = manifest.ID{Group: "apps", Kind: "Deployment", Namespace: "production", Name: "order-service"}
	settings   = manifest.ID{Kind: "ConfigMap", Namespace: "production", Name: "order-service-settings"}
)

// steps are the story, in order.
var steps = []func(*story) error{
	first, newImage, revert, remove, scaled, edited, deleted, sidecar, broken,
	firstRollout, goodCanary, badCanary, revertedCanary, promotedByPlugin, abortedByHand,
}

func first(s *story) error {
	if err := s.lay("k8s-config", func(text string) string { return text }); err != nil {
		return err
	}
	if err := s.git("init", "-q", "-b", "main"); err != nil {
		return err
	}
	if err := s.git("remote", "add", "origin", s.ready.Git+"/myorg/k8s-config.git"); err != nil {
		return err
	}
	begin, err := s.push("Add order-service")
	if err != nil {
		return err
	}
	if err := s.sees(deployment, "created with the image of values-production.yaml", running("1.2.0")); err != nil {
		return err
	}
	if err := s.sees(settings, "created", there); err != nil {
		return err
	}
	s.say(time.Since(begin), "pushed the order-service chart and its Application: 5 replicas of 1.2.0 are available in production")
	return nil
}

func newImage(s *story) error {
	if err := s.edit(values, `tag: "1.2.0"`, `tag: "`+newTag+`"`); err != nil {
		return err
	}
	begin, err := s.push("deploy order-service " + newTag)
	if err != nil {
		return err
	}
	if err := s.sees(deployment, "rolled out to "+newTag, running(newTag)); err != nil {
		return err
	}
	s.say(time.Since(begin), "pushed CI's change of the image tag: %s is rolled out", newTag)
	return nil
}

func revert(s *story) error {
	if err := s.git("revert", "--no-edit", "HEAD"); err != nil {
		return err
	}
	begin := time.Now()
	if err := s.git("push", "-q", "origin", "main"); err != nil {
		return err
	}
	if err := s.sees(deployment, "back at 1.2.0", running("1.2.0")); err != nil {
		return err
	}
	s.say(time.Since(begin), "pushed a git revert: 1.2.0 is back")
	return nil
}

func remove(s *story) error {
	if err := os.Remove(filepath.Join(s.tree, "apps/order-service/templates/settings.yaml")); err != nil {
		return fmt.Errorf("remove manifest: %w", err)
	}
	begin, err := s.push("Remove the settings")
	if err != nil {
		return err
	}
	if err := s.sees(settings, "pruned", nil); err != nil {
		return err
	}
	s.say(time.Since(begin), "pushed the removal of a manifest: its ConfigMap is pruned")
	return nil
}

func broken(s *story) error {
	before, err := s.cluster.Get(s.ctx, deployment)
	if err != nil {
		return err
	}
	if err := s.edit("apps/order-service/templates/service.yaml", "{{ .Values.service.port }}", "{{ .Values.service.port | nosuchfunction }}"); err != nil {
		return err
	}
	begin, err := s.push("Break a template")
	if err != nil {
		return err
	}
	a, err := until(s.ctx, func() (local.Application, bool, error) {
		a, err := s.client.Application(s.ctx, orderService)
		return a, err == nil && a.Last != nil && a.Last.Outcome == "refused", err
	})
	if err != nil {
		return fmt.Errorf("a broken template was not refused: %w", err)
	}
	const where = "apps/order-service/templates/service.yaml:"
	if !strings.Contains(a.Last.Reason, where) {
		return fmt.Errorf("the refusal does not name file and line: %s", a.Last.Reason)
	}
	after, err := s.cluster.Get(s.ctx, deployment)
	if err != nil {
		return err
	}
	if before.GetGeneration() != after.GetGeneration() || before.GetUID() != after.GetUID() {
		return errors.New("a refused push changed the cluster")
	}
	s.say(time.Since(begin), "pushed a broken template: refused, nothing changed:\n           %s", a.Last.Reason)
	return nil
}

// running reports that all replicas of the Deployment run this tag and are available.
func running(tag string) func(*unstructured.Unstructured) bool {
	return func(u *unstructured.Unstructured) bool {
		want, _, _ := unstructured.NestedInt64(u.Object, "spec", "replicas")
		observed, _, _ := unstructured.NestedInt64(u.Object, "status", "observedGeneration")
		updated, _, _ := unstructured.NestedInt64(u.Object, "status", "updatedReplicas")
		available, _, _ := unstructured.NestedInt64(u.Object, "status", "availableReplicas")
		all, _, _ := unstructured.NestedInt64(u.Object, "status", "replicas")
		return hasImage(u, tag) && want > 0 && observed == u.GetGeneration() && updated == want && available == want && all == want
	}
}

func there(*unstructured.Unstructured) bool { return true }

// hasImage reports whether every container runs the tag.
func hasImage(u *unstructured.Unstructured, tag string) bool {
	containers, _, _ := unstructured.NestedSlice(u.Object, "spec", "template", "spec", "containers")
	for _, c := range containers {
		m, ok := c.(map[string]any)
		if !ok {
			return false
		}
		if image, _ := m["image"].(string); !strings.HasSuffix(image, ":"+tag) {
			return false
		}
	}
	return len(containers) > 0
}
