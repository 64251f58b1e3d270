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
	"slipway/internal/drift"
	"slipway/internal/manifest"
)

// childArg makes this program one that sweeps or lists once, or tells of its watch, for each line that it reads, and does
// nothing else: what it costs is then what that costs.
const childArg = "sweep-child"

// profileVariable names a folder for a processor and a memory profile of each child.
const profileVariable = "SLIPWAY_BENCH_PROFILE"

// turn is one sweep or list of a child.
type turn struct {
	MS      float64
	Objects int
	Pages   int          // of a list
	Report  drift.Report // of a sweep
	Watched watched
}

func child(ctx context.Context, args []string) (err error) {
	if len(args) != 3 {
		return fmt.Errorf("%s: want a mode, a kubeconfig and a folder", childArg)
	}
	c := app.Cluster{Name: app.InCluster, Server: app.InClusterServer, Kubeconfig: args[1]}
	var once func(context.Context) (turn, error)
	leave := func() {}
	switch args[0] {
	case "sweep":
		once, err = sweepOnce(c, args[2])
	case "watch":
		once, leave, err = watchOn(ctx, c, args[2])
	default:
		once, err = listOnce(c, args[0] == "list-gzip")
	}
	if err != nil {
		return err
	}
	defer leave()
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

// sweepOnce sweeps with what was kept of the sweep before, as a warm function does.
func sweepOnce(c app.Cluster, dir string) (func(context.Context) (turn, error), error) {
	d, _, err := drifter(c, dir)
	if err != nil {
		return nil, err
	}
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
