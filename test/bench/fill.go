package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"slipway/internal/local/devkube"
	"slipway/test/cluster"
)

// filledFolder keeps clusters that are full: each object costs the API server and the controllers 5 ms of processor time,
// so 100,000 take minutes on an idle machine and much longer on another.
var filledFolder = filepath.Join(".cache", "crowd")

// fillEnv lets the cluster use memory rather than a third of its time for the garbage collector while it is filled.
var fillEnv = []string{"GOGC=800", "GOMEMLIMIT=8GiB"}

// fill is the folder of a stopped cluster with n objects of Crowd, made if there is none of this Crowd and this devkube.
func fill(ctx context.Context, n int) (_ string, err error) {
	key, err := fillKey()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(filledFolder, fmt.Sprintf("%d-%s", n, key))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := forget(n); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filledFolder, 0o750); err != nil {
		return "", fmt.Errorf("fill cluster: %w", err)
	}
	part, err := os.MkdirTemp(filledFolder, "part-")
	if err != nil {
		return "", fmt.Errorf("fill cluster: %w", err)
	}
	if err := fillInto(ctx, part, n); err != nil {
		return "", errors.Join(fmt.Errorf("make %d objects: %w", n, err), os.RemoveAll(part))
	}
	if err := os.Rename(part, dir); err != nil { // in one step: who finds it finds all of it
		return "", errors.Join(fmt.Errorf("keep cluster: %w", err), os.RemoveAll(part))
	}
	return dir, nil
}

func fillInto(ctx context.Context, dir string, n int) (err error) {
	p, err := devkube.Start(ctx, devkube.Options{Dir: dir, Env: fillEnv})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopCluster(ctx, p)) }()
	begin := time.Now()
	if err := cluster.Crowd(ctx, p.Kubeconfig, n); err != nil {
		return err
	}
	applied := time.Now()
	if err := cluster.CrowdSettled(ctx, p.Kubeconfig); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "bench: %d objects applied in %.0f s, controllers done after %.0f s more\n", n,
		applied.Sub(begin).Seconds(), time.Since(applied).Seconds())
	return calm(ctx, p.PID)
}

// fillKey names what a cluster is filled with, and by which binary.
func fillKey() (string, error) {
	key, err := cluster.CrowdKey()
	if err != nil {
		return "", err
	}
	bin, err := devkube.Find()
	if err != nil {
		return "", err
	}
	f, err := os.Open(bin) //nolint:gosec // the binary that is run
	if err != nil {
		return "", fmt.Errorf("read devkube: %w", err)
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read devkube: %w", err)
	}
	return key + "-" + hex.EncodeToString(h.Sum(nil))[:16], nil
}

// forget removes clusters of n objects, which are of another key.
func forget(n int) error {
	old, err := os.ReadDir(filledFolder)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove old clusters: %w", err)
	}
	for _, e := range old {
		if strings.HasPrefix(e.Name(), fmt.Sprintf("%d-", n)) {
			if err := os.RemoveAll(filepath.Join(filledFolder, e.Name())); err != nil {
				return fmt.Errorf("remove old clusters: %w", err)
			}
		}
	}
	return nil
}

const (
	calmEvery = 2 * time.Second
	calmLooks = 2   // one after the other
	calmShare = 0.1 // of a processor
	calmWait  = 5 * time.Minute
)

// calm waits until a cluster has nothing left to do: after a start the controllers read everything.
func calm(ctx context.Context, pid int) error {
	before, err := cpuOf(pid)
	if err != nil {
		return err
	}
	looks := -1 // the first comes at once
	err = until(ctx, calmEvery, calmWait, func() (bool, error) {
		now, err := cpuOf(pid)
		if used := now.since(before).own; used.Seconds() < calmShare*calmEvery.Seconds() {
			looks++
		} else {
			looks = 0
		}
		before = now
		return looks == calmLooks, err
	})
	if err != nil {
		return fmt.Errorf("wait until the cluster is idle: %w", err)
	}
	return nil
}
