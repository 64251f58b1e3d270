// Package cluster runs a real Kubernetes control plane inside the calling process: embedded etcd, kube-apiserver,
// kube-controller-manager, kube-scheduler and, in place of kubelets, KWOK. One cluster a process: klog, feature
// gates, configz and os.Args are the process's.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Options says what to run. The zero value plus Dir runs etcd and kube-apiserver only.
type Options struct {
	Dir               string // state: certificates, etcd data, kubeconfig, logs. Required
	Port              int    // of the API server on 127.0.0.1; 0: a free one
	ControllerManager bool
	Controllers       string // --controllers; "" is upstream's default
	Scheduler         bool
	Nodes             int      // that many KWOK nodes
	Stages            []string // KWOK Stage documents; one with the name of a built-in Stage replaces it
	APIServerArgs     []string // kube-apiserver flags beside ours
	Fsync             bool     // etcd fsyncs its log; off, a power cut may lose the tail
	// PodPorts are what listens in place of the pods: the address behind a port of any pod, for the API server's proxy.
	PodPorts map[int]string
}

// Cluster is a running control plane.
type Cluster struct {
	Kubeconfig string // of user admin, group system:masters
	URL        string
	Timings    []Timing

	admin  *rest.Config
	pki    *pki
	begin  time.Time
	cancel context.CancelFunc
	wg     sync.WaitGroup
	failed chan error
	etcd   *embed.Etcd
	// The API server outlives the controllers at a stop, so it has a context of its own.
	stopAPI context.CancelFunc
	apiDone chan struct{}
}

// Timing is one step of the start and when it was done, counted from Start.
type Timing struct {
	Step string
	At   time.Duration
}

// Start brings the cluster up and returns when the API server is ready, every node is Ready and namespace default
// has its ServiceAccount. Cancelling ctx stops the controllers; Stop takes everything down.
func Start(ctx context.Context, o Options) (_ *Cluster, err error) {
	c := &Cluster{begin: time.Now(), failed: make(chan error, 8)}
	if err := logTo(o.Dir); err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", o.Port))
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	c.URL = "https://" + ln.Addr().String()
	if c.pki, err = ensurePKI(o.Dir, c.URL); err != nil {
		return nil, fmt.Errorf("make certificates: %w", err)
	}
	c.Kubeconfig = c.pki.admin
	if c.admin, err = clientcmd.BuildConfigFromFlags("", c.Kubeconfig); err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	c.mark("certificates")

	ctx, c.cancel = context.WithCancel(ctx)
	defer func() {
		if err != nil {
			c.Stop()
		}
	}()
	if err := c.startEtcd(o); err != nil {
		return nil, fmt.Errorf("start etcd: %w", err)
	}
	c.mark("etcd ready")
	if err := c.startAPIServer(ctx, o, ln); err != nil {
		return nil, fmt.Errorf("start kube-apiserver: %w", err)
	}
	if err := c.waitReadyz(ctx); err != nil {
		return nil, err
	}
	c.mark("kube-apiserver /readyz")
	return c, c.startWriters(ctx, o)
}

// startWriters starts what writes through the API server. client-go names its user agent, and so the field manager
// of writes that name none, after os.Args[0] at the time a client is made. The scheduler and KWOK make their clients
// while they start; the controllers each in its own time, so kube-controller-manager goes last and keeps the name.
func (c *Cluster) startWriters(ctx context.Context, o Options) error {
	if o.Scheduler {
		setName("kube-scheduler")
		if err := c.startScheduler(ctx); err != nil {
			return fmt.Errorf("start kube-scheduler: %w", err)
		}
	}
	if o.Nodes > 0 {
		setName("kwok")
		if err := c.startKWOK(ctx, o); err != nil {
			return fmt.Errorf("start kwok: %w", err)
		}
	}
	if o.ControllerManager {
		setName("kube-controller-manager")
		c.run(ctx, "kube-controller-manager", func() error { return runControllerManager(ctx, o, c.pki) })
	}
	if err := c.waitNodes(ctx, o.Nodes); err != nil {
		return err
	}
	c.mark("nodes Ready")
	if o.ControllerManager {
		if err := c.waitServiceAccount(ctx); err != nil {
			return err
		}
		c.mark("default ServiceAccount")
	}
	return nil
}

// Config is the configuration of a client that is user, one of the identities.
func (c *Cluster) Config(user string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", c.pki.kubeconfig(user))
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	config.UserAgent = user // and so the field manager
	return config, nil
}

// Err answers with the first component that stopped by itself.
func (c *Cluster) Err() <-chan error { return c.failed }

// Stop takes everything down, writers first, and waits for it.
func (c *Cluster) Stop() {
	c.cancel()
	c.wg.Wait()
	if c.stopAPI != nil {
		c.stopAPI()
		<-c.apiDone
	}
	if c.etcd != nil {
		c.etcd.Close()
	}
}

// run starts a component that works until ctx ends.
func (c *Cluster) run(ctx context.Context, name string, f func() error) {
	c.wg.Go(func() { c.ended(ctx, name, f()) })
}

// ended reports a component that returned before it was asked to. It has failed then, also with a nil error.
func (c *Cluster) ended(ctx context.Context, name string, err error) {
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		err = errors.New("ended without an error")
	}
	select {
	case c.failed <- fmt.Errorf("%s: %w", name, err):
	default: // the first one counts
	}
}

func (c *Cluster) mark(step string) {
	c.Timings = append(c.Timings, Timing{step, time.Since(c.begin)})
}

func setName(n string) { os.Args = []string{n} }
