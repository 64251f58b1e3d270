package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"slipway/internal/app"
	"slipway/internal/local"
)

// watchEvery is how often a rollout that is watched is asked for.
const watchEvery = 500 * time.Millisecond

func rolloutCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{Use: "rollout", Short: "See and steer rollouts", RunE: func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usage{fmt.Errorf("unknown command %q for %q", args[0], c.CommandPath())}
		}
		return c.Help()
	}}
	c.PersistentFlags().StringVar(&dir, "dir", defaultDir(), "folder of the running slipway up")
	var full bool
	var why string
	promote := steer(&dir, "promote", "Go on: end the pause or the analysis that it is in", func() (string, string) {
		return either(full, "promote-full", "promote"), ""
	})
	promote.Flags().BoolVar(&full, "full", false, "skip all steps that are left")
	abort := steer(&dir, "abort", "Roll back to the stable revision", func() (string, string) { return "abort", why })
	abort.Flags().StringVar(&why, "why", "", "for those who look at it later")
	c.AddCommand(rolloutList(&dir), rolloutGet(&dir), promote, abort,
		steer(&dir, "retry", "Try once more what was rolled back", func() (string, string) { return "retry", "" }),
		steer(&dir, "stop", "Stop the execution, as the console of Step Functions does: it is brought to safety", func() (string, string) { return "stop", "" }))
	return c
}

// steer is a command that asks for one verb and does not wait for what comes of it.
func steer(dir *string, name, short string, verb func() (verb, why string)) *cobra.Command {
	return &cobra.Command{Use: name + " [CLUSTER/]NAMESPACE/NAME", Short: short, Args: exactly(1), RunE: func(c *cobra.Command, args []string) error {
		k, key, err := dialRollout(*dir, args[0])
		if err != nil {
			return err
		}
		v, why := verb()
		return k.Steer(c.Context(), key, v, why)
	}}
}

func rolloutList(dir *string) *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List rollouts", Args: exactly(0)}
	o := output(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		k, err := local.Dial(*dir)
		if err != nil {
			return err
		}
		all, err := k.Rollouts(c.Context())
		if err != nil {
			return err
		}
		if *o == "json" {
			return printJSON(c.OutOrStdout(), all)
		}
		printRollouts(c.OutOrStdout(), all)
		return nil
	}
	return c
}

func rolloutGet(dir *string) *cobra.Command {
	c := &cobra.Command{Use: "get [CLUSTER/]NAMESPACE/NAME", Short: "Show one rollout", Args: exactly(1)}
	o := output(c)
	watch := c.Flags().Bool("watch", false, "show it again whenever something changes, until it has ended")
	c.RunE = func(c *cobra.Command, args []string) error {
		k, key, err := dialRollout(*dir, args[0])
		if err != nil {
			return err
		}
		show := func(v local.Rollout) error {
			switch {
			case *o == "json" && *watch: // a line each
				return json.NewEncoder(c.OutOrStdout()).Encode(v)
			case *o == "json":
				return printJSON(c.OutOrStdout(), v)
			}
			printRollout(c.OutOrStdout(), v)
			return nil
		}
		v, err := k.Rollout(c.Context(), key)
		if err == nil {
			err = show(v)
		}
		if err != nil || !*watch {
			return err
		}
		return watchRollout(c.Context(), func(ctx context.Context) (local.Rollout, error) { return k.Rollout(ctx, key) }, v, func(v local.Rollout) error {
			if *o != "json" {
				fmt.Fprintln(c.OutOrStdout())
			}
			return show(v)
		})
	}
	return c
}

// watchRollout shows a rollout again whenever it has changed, until it has ended or ctx has.
func watchRollout(ctx context.Context, ask func(context.Context) (local.Rollout, error), last local.Rollout, show func(local.Rollout) error) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for !last.Stage.Ended() || last.Phase == "Progressing" {
		select {
		case <-ctx.Done():
			return nil // it was to end
		case <-tick.C:
		}
		v, err := ask(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if reflect.DeepEqual(v, last) {
			continue
		}
		if err := show(v); err != nil {
			return err
		}
		last = v
	}
	return nil
}

// rolloutName is what Kubernetes and the configuration allow for [cluster/]namespace/name; it becomes part of a URL.
var rolloutName = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._:@-]*/)?[a-z0-9]([a-z0-9-]*[a-z0-9])?/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)

func dialRollout(dir, name string) (*local.Client, string, error) {
	if !rolloutName.MatchString(name) {
		return nil, "", usage{fmt.Errorf("rollout %q: want NAMESPACE/NAME or CLUSTER/NAMESPACE/NAME", name)}
	}
	if strings.Count(name, "/") == 1 {
		name = app.InCluster + "/" + name
	}
	k, err := local.Dial(dir)
	return k, name, err
}
