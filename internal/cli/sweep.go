package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"slipway/internal/drift"
	"slipway/internal/local"
)

func sweepCommand() *cobra.Command {
	var dir, cluster string
	c := &cobra.Command{
		Use:   "sweep",
		Short: "Look for drift now, and heal what may be healed",
		Args:  exactly(0),
	}
	o := output(c)
	c.Flags().StringVar(&dir, "dir", defaultDir(), "folder of the running slipway up")
	c.Flags().StringVar(&cluster, "cluster", "", "name of one cluster (default: all)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		k, err := local.Dial(dir)
		if err != nil {
			return err
		}
		reports, err := k.Sweep(c.Context(), cluster)
		if err != nil {
			return err
		}
		if *o == "json" {
			return printJSON(c.OutOrStdout(), reports)
		}
		for _, r := range reports {
			printReport(c.OutOrStdout(), r)
		}
		return nil
	}
	return c
}

func printReport(w io.Writer, r drift.Report) {
	fmt.Fprintf(w, "%s: %d objects of %d applications in %d ms, %d requests, %d kB; %d suspects, %d healed, %d applications skipped\n",
		r.Cluster, r.Objects, r.Applications, r.Milliseconds, r.Requests, r.Bytes/1000, r.Suspects, r.Healed, r.Skipped)
	for _, f := range r.Findings {
		fmt.Fprintf(w, "  %s: %s\n", f.Application, describe(f.Finding))
	}
}

// describe is a finding as one line, and one more for each field.
func describe(f drift.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", f.Outcome, f.ID)
	switch {
	case f.Healed:
		b.WriteString(", healed")
	case f.Fight != "":
		fmt.Fprintf(&b, ", a fight with %s: healing has stopped", f.Fight)
	case !f.Wait.IsZero():
		fmt.Fprintf(&b, ", healed at %s", f.Wait.Format(time.TimeOnly))
	}
	if f.Because != "" {
		b.WriteString(": " + f.Because)
	}
	for _, c := range f.Fields {
		fmt.Fprintf(&b, "\n      %s: git %s, live %s", c.Path, shown(c.Old), shown(c.New))
		if c.Manager != "" {
			fmt.Fprintf(&b, ", by %s", c.Manager)
			if !c.At.IsZero() {
				fmt.Fprintf(&b, " at %s", c.At.Local().Format(time.DateTime))
			}
		}
	}
	return b.String()
}
