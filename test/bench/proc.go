package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc/PID/stat: USER_HZ is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// cpu is processor time, user and system: what a process used itself, and what its children did that have ended and were
// waited for.
type cpu struct{ own, children time.Duration }

func (c cpu) since(before cpu) cpu { return cpu{c.own - before.own, c.children - before.children} }

// cpuOf reads /proc/PID/stat, which getrusage has no way to ask of another process.
func cpuOf(pid int) (cpu, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return cpu{}, fmt.Errorf("read processor time: %w", err)
	}
	return parseStat(string(b))
}

// parseStat reads utime, stime, cutime and cstime, fields 14 to 17 (proc_pid_stat(5)). The name before them is in
// parentheses and may hold anything.
func parseStat(stat string) (cpu, error) {
	f := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(f) < 15 {
		return cpu{}, fmt.Errorf("read processor time: %d fields after the name", len(f))
	}
	var t [4]time.Duration
	for i := range t {
		n, err := strconv.ParseInt(f[11+i], 10, 64)
		if err != nil {
			return cpu{}, fmt.Errorf("read processor time: %w", err)
		}
		t[i] = time.Duration(n) * tick
	}
	return cpu{own: t[0] + t[1], children: t[2] + t[3]}, nil
}

// peakOf is the most memory that a process had resident so far, in MiB.
func peakOf(pid int) (float64, error) { return memoryOf(pid, "VmHWM") }

// residentOf is the memory that a process has resident now, in MiB.
func residentOf(pid int) (float64, error) { return memoryOf(pid, "VmRSS") }

func memoryOf(pid int, name string) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	return parseMemory(string(b), name)
}

// parseMemory reads one line of /proc/PID/status (proc_pid_status(5)).
func parseMemory(status, name string) (float64, error) {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			if err != nil {
				return 0, fmt.Errorf("read memory: %w", err)
			}
			return kib / 1024, nil
		}
	}
	return 0, fmt.Errorf("read memory: no %s", name)
}

// childrenOf is the processes that any thread of pid has started and that run now.
func childrenOf(pid int) []int {
	var out []int
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil
	}
	for _, list := range lists {
		b, err := os.ReadFile(list) //nolint:gosec // below /proc
		if err != nil {
			continue // the thread has ended
		}
		for _, f := range strings.Fields(string(b)) {
			if n, err := strconv.Atoi(f); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}
