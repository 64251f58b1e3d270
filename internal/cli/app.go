package cli

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"slipway/internal/app"
	"slipway/internal/deploy"
	"slipway/internal/local"
	"slipway/internal/manifest"
)

func appCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{Use: "app", Short: "See and sync applications", RunE: func(c *cobra.Command, args []string) error {
		if len(args) > 0 { // cobra would print the help and call it a success
			return usage{fmt.Errorf("unknown command %q for %q", args[0], c.CommandPath())}
		}
		return c.Help()
	}}
	c.PersistentFlags().StringVar(&dir, "dir", defaultDir(), "folder of the running slipway up")
	c.AddCommand(
		view(&dir, "list", 0, "List applications", func(ctx context.Context, k *local.Client, _ app.Name) ([]local.Application, error) {
			return k.Applications(ctx)
		}, printApplications),
		view(&dir, "get", 1, "Show one application", func(ctx context.Context, k *local.Client, n app.Name) (local.Application, error) {
			return k.Application(ctx, n)
		}, printApplication),
		view(&dir, "resources", 1, "Show an application's objects", func(ctx context.Context, k *local.Client, n app.Name) ([]deploy.Resource, error) {
			return k.Resources(ctx, n)
		}, printResources),
		view(&dir, "history", 1, "Show what was applied, and why not", func(ctx context.Context, k *local.Client, n app.Name) (local.Application, error) {
			return k.Application(ctx, n)
		}, printHistory),
		view(&dir, "diff", 1, "Show what a sync would change", func(ctx context.Context, k *local.Client, n app.Name) ([]deploy.Difference, error) {
			return k.Diff(ctx, n)
		}, printDiff),
		syncCommand(&dir),
	)
	return c
}

// view is a command that asks for one thing and prints it as text or JSON.
func view[T any](dir *string, name string, args int, short string, ask func(context.Context, *local.Client, app.Name) (T, error), text func(io.Writer, T)) *cobra.Command {
	use := name
	if args == 1 {
		use += " [NAMESPACE/]NAME"
	}
	c := &cobra.Command{Use: use, Short: short, Args: exactly(args)}
	o := output(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		name, err := named(args)
		if err != nil {
			return err
		}
		k, err := local.Dial(*dir)
		if err != nil {
			return err
		}
		v, err := ask(c.Context(), k, name)
		if err != nil {
			return err
		}
		if *o == "json" {
			return printJSON(c.OutOrStdout(), v)
		}
		text(c.OutOrStdout(), v)
		return nil
	}
	return c
}

// applicationName is what Kubernetes allows for a namespace and a name; it becomes part of a URL.
var applicationName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?/)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)

// named is NAMESPACE/NAME, or NAME in Argo CD's usual namespace; empty without arguments.
func named(args []string) (app.Name, error) {
	switch {
	case len(args) == 0:
		return "", nil
	case !applicationName.MatchString(args[0]):
		return "", usage{fmt.Errorf("application %q: want NAME or NAMESPACE/NAME", args[0])}
	case !strings.Contains(args[0], "/"):
		return app.Name(app.DefaultNamespace + "/" + args[0]), nil
	}
	return app.Name(args[0]), nil
}

func table(w io.Writer, head string, rows func(row func(...any))) {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, head)
	rows(func(cells ...any) {
		text := make([]string, len(cells))
		for i, c := range cells {
			text[i] = manifest.CleanText(fmt.Sprint(c), 4096)
		}
		fmt.Fprintln(t, strings.Join(text, "\t"))
	})
	_ = t.Flush() // the terminal went away
}

func printApplications(w io.Writer, all []local.Application) {
	table(w, "NAME\tSTATUS\tREVISION\tLAST\tDESTINATION", func(row func(...any)) {
		for _, a := range all {
			d := a.Registered.Application.Destination
			row(a.Name, a.Status, revisions(a), lastRun(a), d.Server+d.Name+" "+d.Namespace)
		}
	})
}

func revisions(a local.Application) string {
	var out []string
	for _, r := range a.Record.Done.Revs {
		out = append(out, r.Short())
	}
	if len(out) == 0 {
		return "-"
	}
	return strings.Join(out, ",")
}

func lastRun(a local.Application) string {
	if a.Last == nil {
		return "-"
	}
	return fmt.Sprintf("%s %s ago", a.Last.Outcome, time.Since(a.Last.Ended).Round(time.Second))
}

func printResources(w io.Writer, all []deploy.Resource) {
	table(w, "KIND\tNAMESPACE\tNAME\tSYNC\tHEALTH\tDETAIL", func(row func(...any)) {
		for _, r := range all {
			row(r.GroupKind().String(), r.Namespace, r.ID.Name, r.Sync, r.Health, r.Detail)
		}
	})
}

func printHistory(w io.Writer, a local.Application) {
	table(w, "ENDED\tOUTCOME\tREVISION\tAPPLIED\tUNCHANGED\tPRUNED\tREASON", func(row func(...any)) {
		for _, r := range a.Record.History {
			var revs []string
			for _, s := range r.Revs {
				revs = append(revs, s.Short())
			}
			row(r.Ended.Format(time.RFC3339), r.Outcome, strings.Join(revs, ","), r.Applied, r.Unchanged, r.Pruned, strings.ReplaceAll(r.Reason, "\n", "; "))
		}
	})
}

func printDiff(w io.Writer, all []deploy.Difference) {
	for _, d := range all {
		fmt.Fprintf(w, "%s %s\n", d.Action, d.ID)
		if d.Reason != "" {
			fmt.Fprintf(w, "  %s\n", manifest.CleanText(d.Reason, manifest.MaxReason))
		}
		for _, c := range d.Changes {
			fmt.Fprintf(w, "  %s: %s -> %s\n", c.Path, shown(c.Old), shown(c.New))
		}
	}
}

func shown(v any) string {
	if v == nil {
		return "(none)"
	}
	return manifest.CleanText(fmt.Sprintf("%v", v), 400)
}
