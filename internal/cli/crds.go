package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"slipway/infra/crds"
)

func crdsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "crds",
		Short: "Print the definitions of Rollout and its like: slipway crds | kubectl apply --server-side -f -",
		Args:  exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			if _, err := fmt.Fprint(c.OutOrStdout(), crds.YAML); err != nil {
				return fmt.Errorf("print: %w", err)
			}
			return nil
		},
	}
}
