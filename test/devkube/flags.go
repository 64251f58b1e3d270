package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"devkube/cluster"
)

// minInterval is about ten times what a scrape of a hundred pods takes.
const minInterval = 50 * time.Millisecond

// settings is what `devkube up` was asked for.
type settings struct {
	cluster.Options
	stopOnEOF  bool
	monitoring monitoringOptions
}

// list is a flag that may be given more than once.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// parse reads the command line of `devkube up`. It answers flag.ErrHelp for -h.
func parse(args []string) (settings, error) {
	var s settings
	var apiserver, stages list
	fs := flag.NewFlagSet("devkube up", flag.ContinueOnError)
	fs.StringVar(&s.Dir, "dir", "", "state directory (required); the kubeconfig is DIR/kubeconfig")
	fs.IntVar(&s.Port, "port", 0, "port of the API server on 127.0.0.1 (0: a free one)")
	fs.IntVar(&s.Nodes, "nodes", 1, "KWOK nodes")
	fs.BoolVar(&s.ControllerManager, "controller-manager", true, "run kube-controller-manager")
	fs.StringVar(&s.Controllers, "controllers", "", "kube-controller-manager --controllers")
	fs.BoolVar(&s.Scheduler, "scheduler", true, "run kube-scheduler")
	fs.BoolVar(&s.Fsync, "fsync", false, "let etcd fsync")
	fs.Var(&stages, "stages", "file of KWOK Stages beside the built-in ones (repeatable)")
	fs.Var(&apiserver, "apiserver-arg", "kube-apiserver flag, such as --audit-policy-file=FILE (repeatable)")
	fs.BoolVar(&s.monitoring.on, "prometheus", false, "run Prometheus, as Service prometheus:9090, and pretend traffic to all Services")
	fs.StringVar(&s.monitoring.namespace, "prometheus-namespace", "monitoring", "namespace of Service prometheus")
	fs.IntVar(&s.monitoring.port, "prometheus-port", 0, "port of Prometheus on 127.0.0.1 (0: a free one)")
	fs.DurationVar(&s.monitoring.interval, "scrape-interval", time.Second, "between two scrapes of Prometheus")
	// Opt-in: a shell gives a background command /dev/null, which is at its end from the start.
	fs.BoolVar(&s.stopOnEOF, "stop-on-eof", false, "stop when standard input ends: its writer has died")
	if err := fs.Parse(args); err != nil {
		return s, err
	}
	if fs.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if s.Dir == "" {
		return s, errors.New("--dir is required")
	}
	if err := s.checkMonitoring(fs); err != nil {
		return s, err
	}
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return s, fmt.Errorf("resolve --dir %s: %w", s.Dir, err)
	}
	s.Dir, s.APIServerArgs = dir, apiserver
	for _, f := range stages {
		b, err := os.ReadFile(f)
		if err != nil {
			return s, fmt.Errorf("read stages: %w", err)
		}
		s.Stages = append(s.Stages, string(b))
	}
	return s, nil
}

// checkMonitoring refuses what would do nothing, or never be ready.
func (s *settings) checkMonitoring(fs *flag.FlagSet) error {
	if !s.monitoring.on {
		var without error
		fs.Visit(func(f *flag.Flag) {
			if strings.HasPrefix(f.Name, "prometheus-") || f.Name == "scrape-interval" {
				without = fmt.Errorf("--%s needs --prometheus", f.Name)
			}
		})
		return without
	}
	if !s.ControllerManager || !s.Scheduler || s.Nodes < 1 {
		return errors.New("--prometheus is a Service with a pod: it needs the controller manager, the scheduler and a node")
	}
	if s.monitoring.interval < minInterval {
		return fmt.Errorf("--scrape-interval %s: %s is the least", s.monitoring.interval, minInterval)
	}
	return nil
}
