package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

const (
	startRuns = 20
	startWait = 30 * time.Second
)

// lambda is the function that people wait for: GitHub ends a webhook after ten seconds, and a cold start is on that way.
var lambda = group{
	rows: []row{
		{Name: "lambda_webhook_mb", Unit: "MB", Goal: 12},
		{Name: "lambda_webhook_start_ms", Unit: "ms", Goal: 15},
	},
	measure: measureLambda,
}

func measureLambda(ctx context.Context, m *machine, r *results) error {
	shipped, err := m.buildFunction(ctx, "webhook", "arm64")
	if err != nil {
		return err
	}
	info, err := os.Stat(shipped)
	if err != nil {
		return fmt.Errorf("measure function: %w", err)
	}
	bin, err := m.buildFunction(ctx, "webhook", runtime.GOARCH)
	if err != nil {
		return err
	}
	c, err := newCloud(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	var starts []float64
	for range startRuns + 1 { // the first reads the program from disk and is not counted
		took, err := c.start(ctx, bin)
		if err != nil {
			return err
		}
		starts = append(starts, ms(took))
	}
	r.value("lambda_webhook_mb", float64(info.Size())/1e6)
	r.value("lambda_webhook_start_ms", median(starts[1:]))
	r.note("lambda_webhook: size of linux/arm64, which ships, unpacked; start to the first /next on this machine (%s), secret read on the way, %d starts: slowest %.1f ms",
		runtime.GOARCH, startRuns, percentile(starts[1:], 100))
	return nil
}

// buildFunction builds as the Makefile does.
func (m *machine) buildFunction(ctx context.Context, name, arch string) (string, error) {
	bin := filepath.Join(m.dir, name+"-"+arch)
	_, err := output(ctx, ".", "env", "GOOS=linux", "GOARCH="+arch, "go", "build", "-trimpath", "-ldflags=-s -w", "-tags", "lambda.norpc",
		"-o", bin, "./functions/"+name)
	return bin, err
}

// start runs the function until it asks for its first event, and says how long that took.
func (c *cloud) start(ctx context.Context, bin string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	asked := c.expect()
	var log bytes.Buffer
	cmd := exec.CommandContext(ctx, bin) //nolint:gosec // built by us
	cmd.Env = c.env()                    // nothing else, as in Lambda
	cmd.Stdout, cmd.Stderr = &log, &log
	begin := time.Now()
	err := cmd.Start()
	if err != nil {
		return 0, fmt.Errorf("start function: %w", err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		err = cmd.Wait()
	}()
	select {
	case at := <-asked:
		cancel() // kills it
		<-gone
		return at.Sub(begin), nil
	case <-gone:
		return 0, fmt.Errorf("start function: it ended: %w: %.500s", errors.Join(err, ctx.Err()), log.String())
	}
}
