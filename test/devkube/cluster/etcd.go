package cluster

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// startEtcd starts a member that is a cluster by itself and waits until it has elected itself.
func (c *Cluster) startEtcd(o Options) error {
	cfg := embed.NewConfig()
	cfg.Name = "devkube"
	cfg.Dir = filepath.Join(o.Dir, "etcd")
	cfg.LogLevel = "warn"
	cfg.LogOutputs = []string{filepath.Join(o.Dir, "etcd.log")}
	cfg.UnsafeNoFsync = !o.Fsync
	cfg.TickMs, cfg.ElectionMs = 10, 100 // one member has nobody to wait for: elected in 30 ms, not in a second
	cfg.QuotaBackendBytes = 4 << 30
	cfg.MaxRequestBytes = 3 << 20 // the API server's own limit of a request body
	client, peer, err := twoPorts()
	if err != nil {
		return err
	}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = client, client
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = peer, peer
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	if c.etcd, err = embed.StartEtcd(cfg); err != nil {
		return err
	}
	select {
	case <-c.etcd.Server.ReadyNotify():
		return nil
	case err := <-c.etcd.Err():
		return err
	case <-time.After(startDeadline):
		return errors.New("no leader in " + startDeadline.String())
	}
}

func (c *Cluster) etcdURL() string { return c.etcd.Config().AdvertiseClientUrls[0].String() }

// twoPorts picks etcd's two addresses. etcd takes no listener, so they are found by listening and closing; both
// are open at once here, or the kernel could hand out the same one twice.
func twoPorts() (client, peer []url.URL, err error) {
	var urls [2][]url.URL
	for i := range urls {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, fmt.Errorf("find a free port: %w", err)
		}
		defer func() { _ = ln.Close() }()
		urls[i] = []url.URL{{Scheme: "http", Host: ln.Addr().String()}}
	}
	return urls[0], urls[1], nil
}
