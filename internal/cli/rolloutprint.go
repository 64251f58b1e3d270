package cli

import (
	"fmt"
	"io"
	"strings"

	"slipway/internal/local"
	"slipway/internal/record"
)

func printRollouts(w io.Writer, all []local.Rollout) {
	table(w, "NAME\tPHASE\tSTEP\tWEIGHT\tPODS\tMESSAGE", func(row func(...any)) {
		for _, v := range all {
			row(v.Rollout, orDash(v.Phase), steps(v), weights(v), pods(v), v.Message)
		}
	})
}

func printRollout(w io.Writer, v local.Rollout) {
	table(w, "Name\t"+v.Rollout, func(row func(...any)) {
		row("Phase", orDash(v.Phase)+colon(v.Message))
		row("Step", steps(v))
		row("Weight", weights(v))
		for i, s := range v.Sets {
			row(either(i == 0, "Pods", ""), fmt.Sprintf("%d/%d %s, revision %d, %s (%s)", s.Available, s.Replicas, either(s.Role == "", "old", s.Role), s.Revision, s.Image, s.Name))
		}
		for _, a := range v.Analyses {
			row("Analysis", a.Name+" "+a.Phase+colon(a.Message))
			for _, m := range a.Metrics {
				row("", "  "+m.Name+" "+m.Phase+colon(counts(m))+either(m.Value == "", "", ", last "+m.Value))
			}
		}
		if v.Origin.Commit != "" {
			row("Commit", short(v.Origin.Commit)+" of "+v.Origin.Application)
		}
		if v.Execution != "" {
			row("Execution", v.Execution+" "+string(v.Stage))
		}
		for i, line := range strings.Split(rolledBack(v.Stage, v.Why, v.Origin), "\n") {
			if line != "" {
				row(either(i == 0, "Rolled back", ""), line)
			}
		}
	})
}

func steps(v local.Rollout) string { return fmt.Sprintf("%d/%d", v.Step, v.Steps) }

func weights(v local.Rollout) string {
	if v.Weight == v.SetWeight {
		return fmt.Sprint(v.Weight)
	}
	return fmt.Sprintf("%d (set %d)", v.Weight, v.SetWeight)
}

func pods(v local.Rollout) string {
	available := int32(0)
	for _, s := range v.Sets {
		available += s.Available
	}
	return fmt.Sprintf("%d/%d", available, v.Replicas)
}

func counts(m local.Metric) string {
	var out []string
	for _, c := range []struct {
		n    int32
		what string
	}{{m.Successful, "passed"}, {m.Failed, "failed"}, {m.Unclear, "inconclusive"}, {m.Errors, "in error"}} {
		if c.n > 0 {
			out = append(out, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return strings.Join(out, ", ")
}

// stands is how the rollout of an application's commit stands.
func stands(r record.Rollout) string {
	line := r.Rollout + ": " + strings.ToLower(orDash(string(r.Stage)))
	if why := rolledBack(r.Stage, r.Why, r.Origin); why != "" {
		line += "\n" + why
	}
	return line
}

// rolledBack says why a revision was rolled back, or is being, and how git gets rid of it; "" if it was not.
func rolledBack(stage record.Stage, why string, o record.Origin) string {
	switch stage {
	case record.Aborted:
	case record.Aborting:
		return why
	default:
		return ""
	}
	line := orDash(why)
	if o.Commit != "" {
		line += fmt.Sprintf("\ncommit %s is rejected and not tried again: git revert %s, push another one, or slipway rollout retry", short(o.Commit), short(o.Commit))
	}
	return line
}

func colon(text string) string { return either(text == "", "", ": "+text) }

func short(commit string) string { return commit[:min(len(commit), 7)] }

func orDash(s string) string { return either(s == "", "-", s) }
