package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

const (
	memoryFiles      = 200
	memoryFileBytes  = 250_000 // 50 MB in all
	memoryRepository = "myorg/large"
	memoryNamespace  = "bench-memory"
)

// memory is what a large repository costs, of which an application is a small part.
var memory = group{
	rows:    []row{{Name: "sync_peak_mib", Unit: "MiB", Goal: 200}},
	measure: measureMemory,
}

func measureMemory(ctx context.Context, m *machine, r *results) (err error) {
	k, err := m.cluster(ctx)
	if err != nil {
		return err
	}
	s, err := m.up(ctx, k.Kubeconfig, memoryRepository, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	t, err := m.tree(ctx, s, memoryRepository)
	if err != nil {
		return err
	}
	random := rand.NewChaCha8([32]byte{}) // incompressible, and the same each time
	for i := range memoryFiles {
		b := make([]byte, memoryFileBytes)
		_, _ = random.Read(b) // cannot fail
		if err := t.write(fmt.Sprintf("assets/%03d.bin", i), string(b)); err != nil {
			return err
		}
	}
	if err := t.lay("memory", memoryNamespace, objects(pushObjects)); err != nil {
		return err
	}
	idle, err := peakOf(s.pid())
	if err != nil {
		return err
	}
	child := peakOfChildren(s.pid(), "render-child")
	if err := errors.Join(t.commit(ctx, "Add all"), t.push(ctx)); err != nil {
		return err
	}
	if _, err := s.settled(ctx, 2); err != nil {
		return err
	}
	if err := t.change(ctx, "apps/memory/"+changedFile, configMap(changedName, "second")); err != nil {
		return err
	}
	lines, err := s.log.synced(ctx)
	if err != nil {
		return err
	}
	peak, err := peakOf(s.pid())
	if err != nil {
		return err
	}
	r.value("sync_peak_mib", peak)
	r.note("sync_peak: most resident memory (VmHWM) of slipway up from its start to the end of the second push, git host included; before the first push %.0f MiB; its render children apart: %.0f MiB each at most, sampled; fetch of the second push %.0f ms",
		idle, child(), fetchTime(lines))
	return nil
}

// peakOfChildren looks every two milliseconds at the children of a process that have arg as their first argument; the
// function it returns ends that and tells the most memory, in MiB, that one of them was seen with.
func peakOfChildren(pid int, arg string) func() float64 {
	stop, most := make(chan struct{}), make(chan float64, 1)
	go func() {
		t := time.NewTicker(2 * time.Millisecond)
		defer t.Stop()
		peak := 0.0
		for {
			select {
			case <-stop:
				most <- peak
				return
			case <-t.C:
			}
			for _, c := range childrenOf(pid) {
				cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", c))
				if err != nil || !bytes.Contains(cmdline, []byte("\x00"+arg+"\x00")) {
					continue
				}
				if p, err := peakOf(c); err == nil { // it may have ended
					peak = max(peak, p)
				}
			}
		}
	}()
	return func() float64 { close(stop); return <-most }
}
