package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	"sigs.k8s.io/kwok/pkg/client/clientset/versioned"
	"sigs.k8s.io/kwok/pkg/kwok/controllers"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	kwokclient "sigs.k8s.io/kwok/pkg/utils/client"
)

// startKWOK starts the controller that plays the kubelet of every node, then makes the nodes.
func (c *Cluster) startKWOK(ctx context.Context, o Options) error {
	config, err := kwokConfig(c.pki.kubeconfig("kwok"))
	if err != nil {
		return err
	}
	if config.LocalStages, err = stages(o.Stages); err != nil {
		return err
	}
	ctx = kwoklog.NewContext(ctx, kwoklog.NewLogger(klogWriter{}, kwoklog.LevelWarn))
	ctr, err := controllers.NewController(config)
	if err != nil {
		return err
	}
	if err := ctr.Start(ctx); err != nil {
		return err
	}
	for i := range o.Nodes {
		n := node(i)
		if _, err := config.TypedClient.CoreV1().Nodes().Create(ctx, n, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create node %s: %w", n.Name, err)
		}
	}
	return nil
}

func kwokConfig(kubeconfig string) (controllers.Config, error) {
	config := controllers.Config{
		ID: "devkube", Clock: clock.RealClock{}, ManageAllNodes: true, CIDR: podNetwork.String(), NodeIP: "127.0.0.1",
		PodPlayStageParallelism: 4, NodePlayStageParallelism: 4, NodeLeaseParallelism: 4, PodsOnNodeSyncParallelism: 4,
		EnablePodsOnNodeSyncListPager: true, NodeLeaseDurationSeconds: 40,
	}
	set, err := kwokclient.NewClientset("", kubeconfig)
	if err != nil {
		return config, err
	}
	config.ImpersonatingDynamicClient = set.ToImpersonatingDynamicClient()
	config.ImpersonatingTypedClient = set.ToImpersonatingTypedClient()
	if config.DynamicClient, err = set.ToDynamicClient(); err != nil {
		return config, err
	}
	if config.RESTMapper, err = set.ToRESTMapper(); err != nil {
		return config, err
	}
	rc, err := set.ToRESTConfig()
	if err != nil {
		return config, err
	}
	if config.RESTClient, err = rest.RESTClientFor(rc); err != nil {
		return config, err
	}
	if config.TypedClient, err = kubernetes.NewForConfig(rc); err != nil {
		return config, err
	}
	config.TypedKwokClient, err = versioned.NewForConfig(rc)
	return config, err
}

func node(i int) *corev1.Node {
	name := fmt.Sprintf("node-%d", i)
	size := corev1.ResourceList{
		"cpu": resource.MustParse("64"), "memory": resource.MustParse("256Gi"),
		"pods": resource.MustParse("2000"), "ephemeral-storage": resource.MustParse("1Ti"),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "type": "kwok",
		}},
		Status: corev1.NodeStatus{Allocatable: size, Capacity: size},
	}
}

// klogWriter puts KWOK's own log lines into the one log file.
type klogWriter struct{}

func (klogWriter) Write(b []byte) (int, error) {
	klog.Warning(string(b))
	return len(b), nil
}
