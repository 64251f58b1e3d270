// Package cli is the command slipway: it reads flags, calls what does the work and prints. It decides nothing.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // wrong usage, or wrong input
)

// Version is set by the linker.
var Version = "dev"

// Run is the whole command: it returns the exit code. SIGINT and SIGTERM end the context.
func Run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := &cobra.Command{
		Use:           "slipway",
		Short:         "GitOps for Kubernetes with nothing running in the cluster",
		Version:       Version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage{err} })
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(upCommand(), demoCommand(), appCommand(), rolloutCommand(), sweepCommand(), renderCommand(), crdsCommand())
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(stderr, "slipway:", manifest.CleanText(line, 4096))
	}
	var u usage
	if errors.As(err, &u) || fault.Is(err, fault.Invalid) || !known(root, args) {
		return exitUsage
	}
	return exitFailed
}

// usage is an error of how the command was called.
type usage struct{ error }

func (u usage) Unwrap() error { return u.error }

// known reports whether the arguments name a command: cobra gives its error for an unknown one no type.
func known(root *cobra.Command, args []string) bool {
	_, _, err := root.Find(args)
	return err == nil
}

// exactly is cobra.ExactArgs with an error that exits with 2.
func exactly(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(n)(c, args); err != nil {
			return usage{fmt.Errorf("%w; usage: %s", err, c.UseLine())}
		}
		return nil
	}
}

// output adds -o and gives the chosen format.
func output(c *cobra.Command) *string {
	o := c.Flags().StringP("output", "o", "text", "text or json")
	c.PreRunE = func(*cobra.Command, []string) error {
		if *o != "text" && *o != "json" {
			return usage{fmt.Errorf("output %q: want text or json", *o)}
		}
		return nil
	}
	return o
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// defaultDir is where slipway up keeps its state unless told otherwise.
func defaultDir() string {
	if d := os.Getenv("SLIPWAY_DIR"); d != "" {
		return d
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return ".slipway"
	}
	return filepath.Join(base, "slipway")
}
