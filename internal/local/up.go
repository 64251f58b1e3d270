package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"slipway/internal/app"
	"slipway/internal/deploy"
	"slipway/internal/drift"
	"slipway/internal/fault"
	"slipway/internal/fetch"
	"slipway/internal/git/source"
	"slipway/internal/kube"
	"slipway/internal/local/githost"
	"slipway/internal/render"
	"slipway/internal/rollout/drive"
	"slipway/internal/secret"
	"slipway/internal/state"
	"slipway/internal/state/bolt"
	"slipway/internal/workflow/asl"
)

// Local is a running slipway up.
type Local struct {
	ready       Ready
	keys        keys
	log         *slog.Logger
	stores      state.Stores
	histories   state.Histories
	queues      *queues
	clusters    []app.Cluster
	deploy      *deploy.Deploy
	fetch       *fetch.Fetch
	drift       *drift.Drift
	connections kube.Clusters
	engine      *asl.Engine
	rollouts    *drive.Drive

	closers []func()       // in the order of starting; Stop goes backwards
	failed  chan error     // a part that stopped by itself
	work    sync.WaitGroup // pollers, schedules, runs of drift
	once    sync.Once
}

// Up starts everything and returns when it answers. Stop, or the end of the process, ends it; the state in o.Dir stays.
func Up(ctx context.Context, o Options) (_ *Local, err error) {
	l := &Local{failed: make(chan error, 8)}
	defer func() {
		if err != nil {
			l.Stop()
		}
	}()
	if err := l.open(&o); err != nil {
		return nil, err
	}
	conf, err := configured(o.Config)
	if err != nil {
		return nil, err
	}
	own, err := ownHost(conf)
	if err != nil {
		return nil, err
	}
	if err := l.cluster(ctx, &o, conf.Clusters); err != nil {
		return nil, err
	}
	if o.Watch {
		watch(l.clusters)
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, fault.New(fault.Invalid, "listen on %s: %w", o.Listen, err)
	}
	l.closers = append(l.closers, func() { _ = ln.Close() })
	if err := loopback(ln.Addr()); err != nil {
		return nil, err
	}
	url := "http://" + ln.Addr().String()
	l.ready.URL, l.ready.Git, l.ready.Dir = url, url+"/git", o.Dir
	git, err := githost.New(githost.Options{Dir: filepath.Join(o.Dir, "git"), Name: own, WebhookURL: url + hookPath, Secret: secret.Of(l.keys.Webhook), Log: l.log}) //nolint:contextcheck // it lives until Stop
	if err != nil {
		return nil, err
	}
	l.closers = append(l.closers, func() { _ = git.Close() })
	hosts, err := sources(conf, own, url)
	if err != nil {
		return nil, err
	}
	if err := l.openRollouts(ctx); err != nil {
		return nil, err
	}
	l.compose(o, hosts)
	if err := l.serve(ctx, ln, git); err != nil {
		return nil, err
	}
	if err := l.begin(ctx, o); err != nil {
		return nil, err
	}
	return l, writeJSON(filepath.Join(o.Dir, readyFile), l.ready)
}

// open makes the folder ready: state, secrets, log.
func (l *Local) open(o *Options) error {
	if o.Dir == "" {
		return fault.New(fault.Invalid, "start: no folder given")
	}
	if o.Root != "" { // told before a cluster is started
		if _, err := root(o.Root); err != nil {
			return err
		}
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return fmt.Errorf("start in %s: %w", o.Dir, err)
	}
	o.Dir = dir
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	store, err := bolt.Open(filepath.Join(dir, "state"))
	if err != nil {
		return err
	}
	l.closers = append(l.closers, func() { _ = store.Close() })
	l.stores, l.histories = store.Stores(), store.Histories()
	if l.keys, err = loadKeys(dir); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, "slipway.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // the user's folder
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	l.closers = append(l.closers, func() { _ = f.Close() })
	l.log = slog.New(slog.NewJSONHandler(f, nil))
	return nil
}

// compose makes the use cases of their parts.
func (l *Local) compose(o Options, hosts *source.GitHub) {
	l.queues = newQueues(l.deadLetter)
	l.deploy = deploy.New(deploy.Deps{
		Records: l.stores.Records, Registry: l.stores.Registry, Blobs: l.stores.Blobs,
		Renderer: render.New(render.Options{Binary: o.Executable}),
		Queue:    l.queues,
		Connect: func(_ context.Context, d app.Destination) (deploy.Cluster, error) {
			c, err := app.Resolve(l.clusters, d)
			if err != nil {
				return nil, err
			}
			return l.connections.For(c)
		},
		Owner:    fmt.Sprintf("local %d", os.Getpid()),
		Rollouts: starter{l},
	})
	l.drift = drift.New(drift.Deps{
		Records: l.stores.Records, Registry: l.stores.Registry, Blobs: l.stores.Blobs, Notes: l.stores.Notes, Holder: l.deploy,
		Resolve: func(d app.Destination) (app.Cluster, error) { return app.Resolve(l.clusters, d) },
		Connect: func(_ context.Context, c app.Cluster) (drift.Cluster, error) { return l.connections.For(c) },
	})
	l.fetch = fetch.New(fetch.Deps{
		Records: l.stores.Records, Registry: l.stores.Registry, Blobs: l.stores.Blobs, Notes: l.stores.Notes,
		Host: hosts, Tips: hosts, Cutter: cutter{}, Queue: l.queues,
	})
}

// Ready is what the ready line says.
func (l *Local) Ready() Ready { return l.ready }

// Wait blocks until ctx ends or a part fails, then stops everything.
func (l *Local) Wait(ctx context.Context) error {
	defer l.Stop()
	select {
	case <-ctx.Done():
		return nil
	case err := <-l.failed:
		return err
	}
}

func (l *Local) fail(err error) {
	select {
	case l.failed <- err:
	default: // one reason is enough
	}
}

// Stop ends all parts, the last started first, and waits for them.
func (l *Local) Stop() {
	l.once.Do(func() {
		for i := len(l.closers) - 1; i >= 0; i-- {
			l.closers[i]()
		}
		if l.ready.Dir != "" {
			if err := os.Remove(filepath.Join(l.ready.Dir, readyFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
				l.log.Warn("remove ready file", "error", err)
			}
		}
	})
}

// serve answers HTTP on ln.
func (l *Local) serve(ctx context.Context, ln net.Listener, git http.Handler) error {
	h, err := l.handler(ctx, git)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, ErrorLog: slog.NewLogLogger(l.log.Handler(), slog.LevelWarn)}
	go func() {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			l.fail(fmt.Errorf("serve: %w", err))
		}
	}()
	l.closers = append(l.closers, func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_ = srv.Shutdown(stop)
	})
	return nil
}
