package cluster

import (
	"context"

	"k8s.io/component-base/configz"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	schedapp "k8s.io/kubernetes/cmd/kube-scheduler/app"
	schedoptions "k8s.io/kubernetes/cmd/kube-scheduler/app/options"
)

// quiet is what both components get: no port of their own, no leases, no throttle.
func quiet(kubeconfig string) []string {
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--secure-port=0",
		"--leader-elect=false",
		"--kube-api-qps=1000", "--kube-api-burst=2000",
		"--profiling=false",
	}
}

// runControllerManager runs until ctx ends. Each controller has a service account of its own, as clusters in the
// field have: managed fields and audit events then say which one wrote.
func runControllerManager(ctx context.Context, o Options, p *pki) error {
	configz.Delete(app.ConfigzName)
	s, err := options.NewKubeControllerManagerOptions()
	if err != nil {
		return err
	}
	all, off, alias := app.KnownControllers(), app.ControllersDisabledByDefault(), app.ControllerAliases()
	named := s.Flags(all, off, alias)
	s.ParsedFlags = &named
	args := append(quiet(p.kubeconfig("system:kube-controller-manager")),
		"--use-service-account-credentials=true",
		"--service-account-private-key-file="+p.saKey,
		"--root-ca-file="+p.caCert,
		"--cluster-signing-cert-file="+p.caCert, "--cluster-signing-key-file="+p.caKey,
		"--horizontal-pod-autoscaler-sync-period=1s", // 15 s by default, which whoever looks on would sit through
	)
	if o.Controllers != "" {
		args = append(args, "--controllers="+o.Controllers)
	}
	if err := parseFlags(named, args); err != nil {
		return err
	}
	config, err := s.Config(ctx, all, off, alias)
	if err != nil {
		return err
	}
	return app.Run(ctx, config.Complete())
}

func (c *Cluster) startScheduler(ctx context.Context) error {
	configz.Delete("componentconfig")
	s := schedoptions.NewOptions()
	if err := parseFlags(*s.Flags, quiet(c.pki.kubeconfig("system:kube-scheduler"))); err != nil {
		return err
	}
	config, scheduler, err := schedapp.Setup(ctx, s)
	if err != nil {
		return err
	}
	c.run(ctx, "kube-scheduler", func() error { return schedapp.Run(ctx, config, scheduler) })
	return nil
}
