package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// helmCLI is Helm's own program, of the version that slipway links.
type helmCLI struct{ bin, version string }

// helm finds it, or builds it the first time.
func helm(ctx context.Context) (helmCLI, error) {
	out, err := output(ctx, ".", "bash", "test/conformance/helm.sh")
	if err != nil {
		return helmCLI{}, fmt.Errorf("build helm: %w", err)
	}
	bin := out[strings.LastIndexByte(out, '\n')+1:]
	return helmCLI{bin, filepath.Base(filepath.Dir(bin))}, nil
}

// template renders the small chart with the values that its Application names.
func (h helmCLI) template(ctx context.Context, kubeVersion string) error {
	chart := filepath.Join(chartRoot, chartPath)
	out, err := output(ctx, ".", h.bin, "template", "order-service", chart, "--namespace", "production", "--kube-version", kubeVersion,
		"-f", filepath.Join(chart, "values.yaml"), "-f", filepath.Join(chart, "values-production.yaml"))
	if err == nil && !strings.Contains(out, "kind: Deployment") {
		err = errors.New("helm template rendered no Deployment")
	}
	return err
}

// output runs a program without cgo, for this machine, and outside any workspace, and returns what it prints.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // our own arguments
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("run %s %s: %w: %.2000s", filepath.Base(name), args[0], err, errs.String())
	}
	return strings.TrimSpace(out.String()), nil
}
