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

const helmModule = "helm.sh/helm/v3"

// helmCLI is Helm's own program, of the version that slipway links.
type helmCLI struct{ bin, version string }

// helm builds it once into .cache/helm/VERSION, in a module of its own: it needs modules that slipway does not have.
func helm(ctx context.Context) (helmCLI, error) {
	version, err := output(ctx, ".", "go", "list", "-m", "-f", "{{.Version}}", helmModule)
	if err != nil {
		return helmCLI{}, err
	}
	dir, err := filepath.Abs(filepath.Join(".cache", "helm", version))
	if err != nil {
		return helmCLI{}, fmt.Errorf("build helm: %w", err)
	}
	h := helmCLI{filepath.Join(dir, "helm"), version}
	if _, err := os.Stat(h.bin); err == nil {
		return h, nil
	}
	fmt.Fprintf(os.Stderr, "bench: building helm %s, a minute the first time\n", version)
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // the build's own cache
		return h, fmt.Errorf("build helm: %w", err)
	}
	mod := fmt.Sprintf("module peer\n\ngo 1.26\n\nrequire %s %s\n", helmModule, version)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o644); err != nil { //nolint:gosec // no secrets
		return h, fmt.Errorf("build helm: %w", err)
	}
	made := h.bin + ".new"
	if _, err := output(ctx, dir, "go", "build", "-mod=mod", "-trimpath", "-ldflags=-s -w", "-o", made, helmModule+"/cmd/helm"); err != nil {
		return h, err
	}
	if err := os.Rename(made, h.bin); err != nil {
		return h, fmt.Errorf("build helm: %w", err)
	}
	return h, nil
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
