package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
		"--dir is required":          {},
		`unexpected argument "more"`: {"--dir=d", "more"},
		"not defined: -colour":       {"--dir=d", "--colour"},
		"read stages":                {"--dir=d", "--stages=" + filepath.Join(t.TempDir(), "absent")},
	} {
		if _, err := parse(args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", args, err, want)
		}
	}
	if _, err := parse([]string{"-h"}); !errors.Is(err, flag.ErrHelp) {
		t.Error(err)
	}
}
