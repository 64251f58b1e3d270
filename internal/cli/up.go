package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"slipway/internal/local"
	"slipway/internal/local/demo"
)

func upCommand() *cobra.Command {
	var o local.Options
	c := &cobra.Command{
		Use:   "up",
		Short: "Run git host, webhook, queues and functions in one process against a cluster",
		Long: `Run git host, webhook, queues and functions in one process against a cluster.

Prints one line of JSON when everything answers: {"url","git","kubeconfig","dir"}.
Push to GIT/OWNER/NAME.git. Without --kubeconfig a development cluster is started.`,
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := local.Up(c.Context(), o)
			if err != nil {
				return err
			}
			if err := json.NewEncoder(c.OutOrStdout()).Encode(l.Ready()); err != nil {
				l.Stop()
				return fmt.Errorf("print ready line: %w", err)
			}
			return l.Wait(c.Context())
		},
	}
	f := c.Flags()
	f.StringVar(&o.Dir, "dir", defaultDir(), "folder of all state")
	f.StringVar(&o.Listen, "listen", "127.0.0.1:0", "address to listen on")
	f.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig of the cluster called in-cluster (default: a development cluster of its own)")
	f.StringVar(&o.Config, "config", "", "file of further clusters and git hosts")
	f.StringVar(&o.Root, "root", "", "REPO:PATH where the first Applications are, such as myorg/k8s-config:argocd")
	f.DurationVar(&o.Sweep, "sweep", 0, "time between two looks at all branches (default 5m)")
	f.BoolVar(&o.Watch, "watch", false, "heal drift within a second by watching clusters (default: a sweep every --drift)")
	f.DurationVar(&o.Drift, "drift", 0, "time between two runs of drift in a cluster (default 1m)")
	return c
}

func demoCommand() *cobra.Command {
	var dir string
	var speed int
	c := &cobra.Command{
		Use:   "demo",
		Short: "Tell the story of pushes, reverts, edits by hand and canaries, each seen in a real cluster",
		Args:  exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			return demo.Run(c.Context(), dir, speed, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "folder to keep afterwards (default: a temporary one)")
	c.Flags().IntVar(&speed, "speed", 200, "how many times faster than the tutorial's the durations of the canaries are")
	return c
}
