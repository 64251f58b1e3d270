package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/local"
	"slipway/internal/manifest"
	"slipway/internal/record"
)

func printApplication(w io.Writer, a local.Application) {
	table(w, "Name\t"+string(a.Name), func(row func(...any)) {
		s, d := a.Registered.Application.Source, a.Registered.Application.Destination
		row("Status", a.Status)
		row("Source", s.RepoURL+" "+s.Path+" "+s.TargetRevision)
		row("Destination", d.Server+d.Name+" "+d.Namespace)
		row("Declared in", a.File, a.Owner)
		row("Revision", revisions(a))
		for _, warning := range a.Warnings {
			row("Warning", warning)
		}
		if r := a.Record.Refused; r.Reason != "" {
			row("Refused", r.Rev.Short()+": "+r.Reason)
		}
		for _, r := range a.Rollouts {
			for i, line := range strings.Split(stands(r), "\n") {
				row(either(i == 0, "Rollout", ""), line)
			}
		}
		for _, f := range a.Drift {
			for i, line := range strings.Split(describe(f), "\n") {
				row(either(i == 0, "Drift", ""), line)
			}
		}
		if a.Last == nil {
			return
		}
		row("Last run", lastRun(a), fmt.Sprintf("%d applied, %d unchanged, %d pruned", a.Last.Applied, a.Last.Unchanged, a.Last.Pruned))
		if a.Last.Reason != "" {
			row("Reason", a.Last.Reason)
		}
		for _, n := range a.Last.Notes {
			row("Note", n)
		}
	})
}

func either(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

func syncCommand(dir *string) *cobra.Command {
	c := &cobra.Command{Use: "sync [NAMESPACE/]NAME", Short: "Apply what is wanted, and wait for it", Args: exactly(1)}
	o := output(c)
	wait := c.Flags().Duration("timeout", 5*time.Minute, "how long to wait; 0 does not wait")
	c.RunE = func(c *cobra.Command, args []string) error {
		name, err := named(args)
		if err != nil {
			return err
		}
		k, err := local.Dial(*dir)
		if err != nil {
			return err
		}
		a, err := k.Sync(c.Context(), name)
		if err == nil && *wait > 0 {
			a, err = await(c.Context(), k, a, *wait)
		}
		if err != nil {
			return err
		}
		if *o == "json" {
			return printJSON(c.OutOrStdout(), a)
		}
		printApplication(c.OutOrStdout(), a)
		return nil
	}
	return c
}

// await polls until the seq that was asked for is done, or a run for it has failed since: the person is told at once,
// also where the queue or the sweep will try again. Where a newer commit takes its place, that one is waited for if it is
// applied by itself.
func await(ctx context.Context, k *local.Client, asked local.Application, limit time.Duration) (local.Application, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	seq := asked.Record.Requested
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	a := asked
	for {
		next, err := k.Application(ctx, asked.Name)
		if err == nil {
			a = next
		}
		switch {
		case ctx.Err() != nil:
			return a, fault.New(fault.Unavailable, "sync %s: not done in %s: %s; slipway app get shows more", asked.Name, limit, state(a))
		case err != nil:
			return a, err
		case a.Record.Done.Seq == seq && a.Record.Requested != seq: // it may have been done before, and is to be applied again
			return a, nil
		case a.Record.GivenUp == seq:
			return a, failedRun(asked.Name, a.Last, "")
		case failedSince(asked.Last, a.Last, seq):
			return a, failedRun(asked.Name, a.Last, " (it is tried again)")
		case a.Record.Wanted.Seq != seq && !a.Registered.Application.Sync.Automated:
			return a, fault.New(fault.Superseded, "sync %s: a newer commit came before this one was applied; sync again", asked.Name)
		}
		seq = a.Record.Wanted.Seq
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// failedSince reports whether last is the end of a run for seq that failed, and was not there before.
func failedSince(before, last *record.Run, seq uint64) bool {
	if last == nil || last.Seq != seq || before != nil && before.Ended.Equal(last.Ended) {
		return false
	}
	return last.Outcome == record.Failed || last.Outcome == record.RefusedRun
}

func state(a local.Application) string {
	if a.Last == nil {
		return a.Status
	}
	return fmt.Sprintf("%s, last run %s: %s", a.Status, a.Last.Outcome, manifest.CleanText(a.Last.Reason, 2048))
}

func failedRun(name app.Name, last *record.Run, then string) error {
	if last == nil {
		return fault.New(fault.Internal, "sync %s: given up", name)
	}
	return fault.New(fault.Denied, "sync %s: %s: %s%s", name, last.Outcome, manifest.CleanText(last.Reason, 2048), then)
}
