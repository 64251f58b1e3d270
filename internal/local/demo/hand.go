package demo

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/drift"
	"slipway/internal/local/devkube"
)

// kubectl is what a person does by hand, with the real command.
func (s *story) kubectl(args ...string) error {
	binary, err := devkube.Find()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(s.ctx, binary, append([]string{"kubectl", "--kubeconfig", s.ready.Kubeconfig, "-n", "production"}, args...)...) //nolint:gosec // fixed arguments
	var all bytes.Buffer
	cmd.Stdout, cmd.Stderr = &all, &all
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, all.String())
	}
	return nil
}

// byHand is something that somebody does to a synced object, and how it looks once it is put right.
func (s *story) byHand(what string, right func(*unstructured.Unstructured) bool, args ...string) error {
	before, err := s.cluster.Get(s.ctx, deployment)
	if err != nil {
		return err
	}
	if err := s.kubectl(args...); err != nil {
		return err
	}
	begin := time.Now()
	// The edit raises the generation, or makes another uid; being right again at the old one would be the state before it.
	err = s.sees(deployment, what+" is put right", func(u *unstructured.Unstructured) bool {
		return right(u) && (u.GetUID() != before.GetUID() || u.GetGeneration() > before.GetGeneration())
	})
	if err != nil {
		return err
	}
	s.say(time.Since(begin), "%s: reverted", what)
	return nil
}

func scaled(s *story) error {
	return s.byHand("kubectl scale to 9 replicas", replicas(5), "scale", "deployment/order-service", "--replicas=9")
}

func edited(s *story) error {
	return s.byHand("kubectl set image to another one", image("1.2.0"), "set", "image", "deployment/order-service", "order-service=myorg/order-service:handmade")
}

func deleted(s *story) error {
	return s.byHand("kubectl delete deployment", running("1.2.0"), "delete", "deployment", "order-service", "--wait=true")
}

// sidecar is what a re-apply does not remove and others do not report.
func sidecar(s *story) error {
	if err := s.kubectl("patch", "deployment", "order-service", "--patch", containers(`{"name":"debug","image":"busybox"}`)); err != nil {
		return err
	}
	begin := time.Now()
	found, err := until(s.ctx, func() (drift.Field, bool, error) {
		a, err := s.client.Application(s.ctx, orderService)
		for _, f := range a.Drift {
			for _, c := range f.Fields {
				if f.Outcome == drift.Foreign && f.ID == deployment && strings.Contains(c.Path, `containers[name="debug"]`) {
					return c, true, nil
				}
			}
		}
		return drift.Field{}, false, err
	})
	if err != nil {
		return fmt.Errorf("a sidecar added by hand was not named: %w", err)
	}
	s.say(time.Since(begin), "kubectl patch adds a sidecar: named, and left where it is without slipway.dev/strict:\n           %s, by %s", found.Path, found.Manager)
	return s.kubectl("patch", "deployment", "order-service", "--patch", containers(`{"name":"debug","$patch":"delete"}`))
}

// containers is a strategic merge patch of one container.
func containers(one string) string {
	return `{"spec":{"template":{"spec":{"containers":[` + one + `]}}}}`
}

func replicas(n int64) func(*unstructured.Unstructured) bool {
	return func(u *unstructured.Unstructured) bool {
		got, _, _ := unstructured.NestedInt64(u.Object, "spec", "replicas")
		return got == n
	}
}

func image(tag string) func(*unstructured.Unstructured) bool {
	return func(u *unstructured.Unstructured) bool {
		return hasImage(u, tag)
	}
}
