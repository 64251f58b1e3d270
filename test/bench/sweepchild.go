package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/clientcmd"

	"slipway/internal/app"
	"slipway/internal/deploy"
	"slipway/internal/drift"
	"slipway/internal/kube"
	"slipway/internal/manifest"
	"slipway/internal/state/bolt"
)

// childArg makes this program one that sweeps, or lists, once for each line that it reads, and nothing else: what it
// costs is then what that costs.
const childArg = "sweep-child"

// profileVariable names a folder for a processor and a memory profile of each child.
const profileVariable = "SLIPWAY_BENCH_PROFILE"

// turn is one sweep or list of a child.
type turn struct {
	MS      float64
	Objects int
	Pages   int          // of a list
	Report  drift.Report // of a sweep
}

func child(ctx context.Context, args []string) (err error) {
	if len(args) != 3 {
		return fmt.Errorf("%s: want a mode, a kubeconfig and a folder", childArg)
	}
	c := app.Cluster{Name: app.InCluster, Server: app.InClusterServer, Kubeconfig: args[1]}
	var once func(context.Context) (turn, error)
	if args[0] == "sweep" {
		once, err = sweepOnce(c, args[2])
	} else {
		once, err = listOnce(c, args[0] == "list-gzip")
	}
	if err != nil {
		return err
	}
	end, err := profile(args[0])
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		begin := time.Now()
		t, err := once(ctx)
		if err != nil {
			return err
		}
		t.MS = ms(time.Since(begin))
		if err := out.Encode(t); err != nil {
			return err
		}
	}
	return end()
}

// sweepOnce is drift as slipway up has it.
func sweepOnce(c app.Cluster, dir string) (func(context.Context) (turn, error), error) {
	store, err := bolt.Open(dir)
	if err != nil {
		return nil, err
	}
	s, connections := store.Stores(), &kube.Clusters{}
	d := drift.New(drift.Deps{
		Records: s.Records, Registry: s.Registry, Blobs: s.Blobs, Notes: s.Notes,
		Holder: deploy.New(deploy.Deps{
			Records: s.Records, Registry: s.Registry, Blobs: s.Blobs, Queue: nobody{}, Owner: "bench",
			Connect: func(context.Context, app.Destination) (deploy.Cluster, error) { return connections.For(c) },
		}),
		Resolve: func(to app.Destination) (app.Cluster, error) { return app.Resolve([]app.Cluster{c}, to) },
		Connect: func(_ context.Context, c app.Cluster) (drift.Cluster, error) { return connections.For(c) },
	})
	return func(ctx context.Context) (turn, error) {
		rep, err := d.Sweep(ctx, c)
		return turn{Report: rep, Objects: rep.Objects}, err
	}, nil
}

// listOnce is a plain client that lists the same objects in the same pages, as many kinds at once, and keeps nothing.
func listOnce(c app.Cluster, gzip bool) (func(context.Context) (turn, error), error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err != nil {
		return nil, err
	}
	cfg.QPS, cfg.DisableCompression, cfg.UserAgent = -1, !gzip, "bench"
	client, err := metadata.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (turn, error) {
		var objects, pages atomic.Int64
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(8)
		for _, r := range crowdKinds {
			g.Go(func() error {
				o := metav1.ListOptions{LabelSelector: manifest.Label, Limit: 500}
				for {
					list, err := client.Resource(r).List(ctx, o)
					if err != nil {
						return err
					}
					pages.Add(1)
					objects.Add(int64(len(list.Items)))
					if o.Continue = list.Continue; o.Continue == "" {
						return nil
					}
				}
			})
		}
		err := g.Wait()
		return turn{Objects: int(objects.Load()), Pages: int(pages.Load())}, err
	}, nil
}

func profile(mode string) (end func() error, err error) {
	dir := os.Getenv(profileVariable)
	if dir == "" {
		return func() error { return nil }, nil
	}
	path := filepath.Join(dir, mode+"-"+strconv.Itoa(os.Getpid()))
	f, err := os.Create(path + ".cpu") //nolint:gosec // named by who measures
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		h, err := os.Create(path + ".mem") //nolint:gosec // named by who measures
		if err != nil {
			return err
		}
		if err := pprof.Lookup("allocs").WriteTo(h, 0); err != nil {
			return err
		}
		return h.Close()
	}, f.Sync()
}
