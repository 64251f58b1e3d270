package cluster

import (
	"context"
	"net"

	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

func (c *Cluster) apiServerFlags(o Options) []string {
	return append([]string{
		"--etcd-servers=" + c.etcdURL(),
		"--service-cluster-ip-range=10.96.0.0/16",
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none", // no endpoint of Service kubernetes: an EndpointSlice refuses loopback
		"--authorization-mode=RBAC",
		"--allow-privileged=true",
		// Nobody shares this server, and tests drive it hard: no 429. --apiserver-arg brings them back.
		"--enable-priority-and-fairness=false",
		"--max-requests-inflight=0", "--max-mutating-requests-inflight=0",
		"--tls-cert-file=" + c.pki.serverCert, "--tls-private-key-file=" + c.pki.serverKey,
		"--client-ca-file=" + c.pki.caCert,
		"--token-auth-file=" + c.pki.tokens,
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.pki.saKey,
		"--service-account-signing-key-file=" + c.pki.saKey,
		"--api-audiences=https://kubernetes.default.svc",
		"--profiling=false",
		"--shutdown-delay-duration=0s",
	}, o.APIServerArgs...)
}

// startAPIServer builds the server chain and serves on ln: a listener that is handed over cannot lose its port.
func (c *Cluster) startAPIServer(ctx context.Context, o Options, ln net.Listener) error {
	setName("kube-apiserver")
	s := options.NewServerRunOptions()
	if err := parseFlags(s.Flags(), c.apiServerFlags(o)); err != nil {
		return err
	}
	s.SecureServing.Listener = ln
	if addr, ok := ln.Addr().(*net.TCPAddr); ok {
		s.SecureServing.BindPort = addr.Port
	}
	if err := s.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	run, err := prepare(ctx, s, o.PodPorts)
	if err != nil {
		cancel()
		return err
	}
	c.stopAPI, c.apiDone = cancel, make(chan struct{})
	go func() {
		defer close(c.apiDone)
		c.ended(ctx, "kube-apiserver", run(ctx))
	}()
	return nil
}

func prepare(ctx context.Context, s *options.ServerRunOptions, podPorts map[int]string) (func(context.Context) error, error) {
	complete, err := s.Complete(ctx)
	if err != nil {
		return nil, err
	}
	if errs := complete.Validate(); len(errs) != 0 {
		return nil, utilerrors.NewAggregate(errs)
	}
	config, err := app.NewConfig(complete)
	if err != nil {
		return nil, err
	}
	proxy := config.KubeAPIs.ControlPlane.ProxyTransport
	proxy.DialContext = dialPods(podPorts, proxy.DialContext)
	completed, err := config.Complete()
	if err != nil {
		return nil, err
	}
	server, err := app.CreateServerChain(completed)
	if err != nil {
		return nil, err
	}
	prepared, err := server.PrepareRun()
	if err != nil {
		return nil, err
	}
	return prepared.Run, nil
}

// parseFlags parses args as a component's command line.
func parseFlags(named cliflag.NamedFlagSets, args []string) error {
	fs := pflag.NewFlagSet("component", pflag.ContinueOnError)
	for _, f := range named.FlagSets {
		fs.AddFlagSet(f)
	}
	return fs.Parse(args)
}
