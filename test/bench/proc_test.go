package main

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestProcessorTimeIsReadBehindAnyName(t *testing.T) {
	for stat, want := range map[string]cpu{
		"42 (slipway) S 1 42 42 0 -1 4194560 9 8 0 0 150 50 30 20 20 0 9 0 1 2 3":  {2 * time.Second, 500 * time.Millisecond},
		"42 (a) b (c) R 1 42 42 0 -1 4194560 9 8 0 0 1 2 3 4 20 0 9 0 1 2 3":       {30 * time.Millisecond, 70 * time.Millisecond},
		"42 (1 2 3 4 5 6 7) R 1 42 42 0 -1 4194560 9 8 0 0 0 0 0 0 20 0 9 0 1 2 3": {},
	} {
		got, err := parseStat(stat)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", stat, got, err, want)
		}
	}
	for _, stat := range []string{"", "42 (slipway)", "42 (slipway) S 1 42", "42 (slipway) S 1 42 42 0 -1 4194560 9 8 0 0 x 50 30 20"} {
		if got, err := parseStat(stat); err == nil {
			t.Errorf("%q: %+v", stat, got)
		}
	}
}

func TestThePeakOfMemoryIsInMiB(t *testing.T) {
	got, err := parseMemory("Name:\tslipway\nVmPeak:\t  999999 kB\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\n", "VmHWM")
	if err != nil || got != 20 {
		t.Errorf("%v, %v", got, err)
	}
	for _, status := range []string{"", "VmRSS:\t1 kB\n", "VmHWM:\tx kB\n"} {
		if got, err := parseMemory(status, "VmHWM"); err == nil {
			t.Errorf("%q: %v", status, got)
		}
	}
}

func TestARunningChildIsFound(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, c := range childrenOf(os.Getpid()) {
		found = found || c == cmd.Process.Pid
	}
	if !found {
		t.Error("the child is not among the children")
	}
	if p, err := peakOf(cmd.Process.Pid); err != nil || p <= 0 {
		t.Errorf("peak of the child: %v, %v", p, err)
	}
	_ = in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}
