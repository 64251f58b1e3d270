package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestUpTakesADirectoryAndHasDefaults(t *testing.T) {
	t.Chdir(t.TempDir())
	s, err := parse([]string{"--dir", "d", "--apiserver-arg=--v=2", "--apiserver-arg=--audit-log-path=-"})
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(s.Dir) || s.Nodes != 1 || !s.Scheduler || !s.ControllerManager || s.Fsync || s.stopOnEOF {
		t.Errorf("%+v", s)
	}
	if got := strings.Join(s.APIServerArgs, " "); got != "--v=2 --audit-log-path=-" {
		t.Errorf("API server flags %q", got)
	}
}

func TestUpReadsStagesFromFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stages.yaml")
	if err := os.WriteFile(file, []byte("kind: Stage"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := parse([]string{"--dir=d", "--stages", file})
	if err != nil || len(s.Stages) != 1 || s.Stages[0] != "kind: Stage" {
		t.Errorf("%q, %v", s.Stages, err)
	}
}

func TestUpRefusesWhatItDoesNotUnderstand(t *testing.T) {
	for want, args := range map[string][]string{
		"--dir is required":                         {},
		`unexpected argument "more"`:                {"--dir=d", "more"},
		"not defined: -colour":                      {"--dir=d", "--colour"},
		"read stages":                               {"--dir=d", "--stages=" + filepath.Join(t.TempDir(), "absent")},
		"--scrape-interval needs --prometheus":      {"--dir=d", "--scrape-interval=1s"},
		"--prometheus-port needs --prometheus":      {"--dir=d", "--prometheus-port=9090"},
		"--prometheus-namespace needs --prometheus": {"--dir=d", "--prometheus-namespace=a", "--prometheus=false"},
		"--scrape-interval 1ms: 50ms is the least":  {"--dir=d", "--prometheus", "--scrape-interval=1ms"},
		"it needs the controller manager":           {"--dir=d", "--prometheus", "--controller-manager=false"},
		"needs the controller manager, the sched":   {"--dir=d", "--prometheus", "--scheduler=false"},
		"the scheduler and a node":                  {"--dir=d", "--prometheus", "--nodes=0"},
	} {
		if _, err := parse(args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", args, err, want)
		}
	}
	if _, err := parse([]string{"-h"}); !errors.Is(err, flag.ErrHelp) {
		t.Error(err)
	}
}

func TestPrometheusIsAskedFor(t *testing.T) {
	s, err := parse([]string{"--dir=d"})
	if err != nil || s.monitoring.on {
		t.Errorf("%+v, %v", s.monitoring, err)
	}
	s, err = parse([]string{"--dir=d", "--prometheus"})
	if want := (monitoringOptions{true, 0, "monitoring", time.Second}); err != nil || s.monitoring != want {
		t.Errorf("%+v, %v", s.monitoring, err)
	}
	s, err = parse([]string{"--dir=d", "--prometheus", "--prometheus-port=9", "--prometheus-namespace=production", "--scrape-interval=200ms"})
	if want := (monitoringOptions{true, 9, "production", 200 * time.Millisecond}); err != nil || s.monitoring != want {
		t.Errorf("%+v, %v", s.monitoring, err)
	}
}
