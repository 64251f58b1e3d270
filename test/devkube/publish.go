package main

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	applymeta "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	promPort        = 9090
	publishDeadline = time.Minute // 0.5 s on an idle machine
)

// publish makes Deployment and Service prometheus and answers when the API server's service proxy reaches it. KWOK's pod
// runs nothing: port 9090 of every pod of the cluster is our Prometheus (cluster.Options.PodPorts).
func publish(ctx context.Context, config *rest.Config, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, publishDeadline)
	defer cancel()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ours := metav1.ApplyOptions{FieldManager: prometheus, Force: true}
	if _, err := client.CoreV1().Namespaces().Apply(ctx, applycore.Namespace(namespace), ours); err != nil {
		return err
	}
	if _, err := client.AppsV1().Deployments(namespace).Apply(ctx, deployment(namespace), ours); err != nil {
		return err
	}
	if _, err := client.CoreV1().Services(namespace).Apply(ctx, service(namespace), ours); err != nil {
		return err
	}
	for {
		_, last := client.CoreV1().Services(namespace).ProxyGet("http", prometheus, fmt.Sprint(promPort), "/-/ready", nil).DoRaw(ctx)
		if last == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: the last answer: %w", context.Cause(ctx), last)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

var promLabels = map[string]string{"app": prometheus}

func deployment(namespace string) *applyapps.DeploymentApplyConfiguration {
	container := applycore.Container().WithName(prometheus).WithImage("prometheus:in-devkube").
		WithPorts(applycore.ContainerPort().WithName("http").WithContainerPort(promPort))
	return applyapps.Deployment(prometheus, namespace).WithSpec(applyapps.DeploymentSpec().
		WithReplicas(1).
		WithSelector(applymeta.LabelSelector().WithMatchLabels(promLabels)).
		WithTemplate(applycore.PodTemplateSpec().WithLabels(promLabels).WithSpec(applycore.PodSpec().WithContainers(container))))
}

// service has no pretended traffic: what asks it is real.
func service(namespace string) *applycore.ServiceApplyConfiguration {
	return applycore.Service(prometheus, namespace).WithAnnotations(map[string]string{"sim/rps": "0"}).
		WithSpec(applycore.ServiceSpec().WithSelector(promLabels).
			WithPorts(applycore.ServicePort().WithName("http").WithPort(promPort).WithTargetPort(intstr.FromInt32(promPort))))
}
