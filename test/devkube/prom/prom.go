// Package prom runs a real Prometheus inside the calling process: its TSDB, scrape manager, PromQL engine and HTTP
// API v1. Not in it: the web UI, service discovery, rules, alerts, remote read and write.
package prom

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

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/tsdb"
)

const (
	retention = 6 * time.Hour
	// Of one query, as upstream's defaults but for memory that is ours to share.
	queryTimeout, querySamples = 30 * time.Second, 5_000_000
	httpTimeout                = 10 * time.Second
)

// Options says what to run.
type Options struct {
	Dir      string        // data and log; used again when Prometheus starts again. Required
	Port     int           // on 127.0.0.1; 0: a free one
	Interval time.Duration // between scrapes. Required
	// Targets are what is scraped, all in this process, by job. A series' own job label wins over the job's name
	// (honor_labels). Each is served at /JOB/metrics, too.
	Targets map[string]http.Handler
}

// Server is a running Prometheus.
type Server struct {
	URL string // http://127.0.0.1:PORT

	log    *os.File
	config *config.Config
	db     *tsdb.DB
	engine *promql.Engine
	scrape *scrape.Manager
	http   *http.Server
	failed chan error
	stop   sync.Once
}

// Start answers with a Prometheus that answers queries. What a process before it left in Dir is kept.
func Start(o Options) (_ *Server, err error) {
	s := &Server{failed: make(chan error, 2)}
	defer func() {
		if err != nil {
			s.Stop()
			err = fmt.Errorf("start prometheus: %w", err)
		}
	}()
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	if s.log, err = os.OpenFile(filepath.Join(o.Dir, "prometheus.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", o.Port))
	if err != nil {
		return nil, err
	}
	s.URL = "http://" + ln.Addr().String()
	if err := s.open(o, ln.Addr().String()); err != nil {
		_ = ln.Close()
		return nil, err
	}
	go func() {
		if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("prometheus: %w", err)
		}
	}()
	return s, nil
}

// open makes the parts, from the storage up.
func (s *Server) open(o Options, address string) (err error) {
	logger := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	registry := prometheus.NewRegistry() // of its own: Kubernetes fills the default one
	if s.config, err = scrapes(o, logger); err != nil {
		return err
	}
	if s.db, err = tsdb.Open(filepath.Join(o.Dir, "data"), logger, registry, storage(), nil); err != nil {
		return fmt.Errorf("open storage: %w", err)
	}
	language := parser.NewParser(parser.Options{})
	s.engine = promql.NewEngine(promql.EngineOpts{
		Logger: logger, Reg: registry, Parser: language, MaxSamples: querySamples, Timeout: queryTimeout,
		NoStepSubqueryIntervalFn: func(int64) int64 { return o.Interval.Milliseconds() },
		EnableAtModifier:         true, EnableNegativeOffset: true, // as upstream has them since 2.33
	})
	if err := s.startScraping(o, address, logger, registry); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", http.StripPrefix("/api/v1", s.api(address, o.Dir, logger, registry, language)))
	mux.HandleFunc("/-/ready", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "Prometheus Server is Ready.") })
	for job, h := range o.Targets {
		mux.Handle(metricsPath(job), h)
	}
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: httpTimeout}
	return nil
}

// storage keeps little in memory: upstream's own figures are for months and millions of series.
func storage() *tsdb.Options {
	o := tsdb.DefaultOptions()
	o.MinBlockDuration, o.MaxBlockDuration = (10 * time.Minute).Milliseconds(), time.Hour.Milliseconds()
	o.RetentionDuration = retention.Milliseconds()
	o.WALSegmentSize = 8 << 20
	o.StripeSize = 512
	o.NoLockfile = true // etcd holds the lock of the directory around it
	return o
}

// Err gives the first part that stopped by itself.
func (s *Server) Err() <-chan error { return s.failed }

// Stop takes everything down and waits for it. The data stays in Dir. Calling it again is harmless.
func (s *Server) Stop() { s.stop.Do(s.close) }

func (s *Server) close() {
	if s.http != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_ = s.http.Shutdown(ctx) // a query that takes longer is cut off
		cancel()
		_ = s.http.Close()
	}
	if s.scrape != nil {
		s.scrape.Stop()
	}
	if s.engine != nil {
		_ = s.engine.Close()
	}
	if s.db != nil {
		_ = s.db.Close()
	}
	if s.log != nil {
		_ = s.log.Close()
	}
}
