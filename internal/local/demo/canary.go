package demo

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"slipway/internal/app"
	"slipway/internal/local"
	"slipway/internal/record"
)

const (
	checkout    = app.Name("argocd/checkout")
	rolloutKey  = "in-cluster/production/checkout"
	rolloutFile = "apps/checkout/rollout.yaml"
	// canaryWait is for what waits for a whole canary, on a loaded machine.
	canaryWait = 4 * time.Minute
	// pluginVariable is the environment variable that names kubectl's plugin for Argo Rollouts.
	pluginVariable = "SLIPWAY_PLUGIN"
)

// durations are those of a canary's manifests: pauses, the interval of an analysis, the window of its query.
var durations = regexp.MustCompile(`(duration: |interval: |\[)(\d+)m`)

// leastSeconds is what a duration is at least: an analysis needs some scrapes, one a second, in its window.
var leastSeconds = map[string]int{"duration: ": 1, "interval: ": 1, "[": 5}

// faster makes the durations of a manifest that many times shorter.
func faster(text string, speed int) string {
	return durations.ReplaceAllStringFunc(text, func(d string) string {
		m := durations.FindStringSubmatch(d)
		minutes := 0
		_, _ = fmt.Sscan(m[2], &minutes) // digits
		return fmt.Sprintf("%s%ds", m[1], max(minutes*60/speed, leastSeconds[m[1]]))
	})
}

func firstRollout(s *story) error {
	if err := s.lay("canary", func(text string) string { return faster(text, s.speed) }); err != nil {
		return err
	}
	begin, err := s.push("Add checkout, a Rollout")
	if err != nil {
		return err
	}
	if _, err := s.rollout("serving its first revision", healthy("1.0.0")); err != nil {
		return err
	}
	s.say(time.Since(begin), "pushed a Rollout: its first revision is stable, 5 pods of 1.0.0\n           durations of the tutorial, %d times faster: pause 10m is %s, interval 1m %s, window 5m %s",
		s.speed, scaledTo("duration: 10m", s.speed), scaledTo("interval: 1m", s.speed), scaledTo("[5m", s.speed))
	return nil
}

func scaledTo(duration string, speed int) string {
	return strings.TrimLeft(strings.TrimLeft(faster(duration, speed), "abcdefghijklmnopqrstuvwxyz: "), "[")
}

func goodCanary(s *story) error {
	begin, err := s.release("1.0.0", "1.1.0")
	if err != nil {
		return err
	}
	var weights []int32
	v, err := s.rollout("promoted to 1.1.0", func(v local.Rollout) bool {
		if w := v.SetWeight; w > 0 && canaryOf(v, "1.1.0") && !slices.Contains(weights, w) {
			weights = append(weights, w)
		}
		return healthy("1.1.0")(v)
	})
	if err != nil {
		return err
	}
	if !slices.IsSorted(weights) || !slices.Contains(weights, 10) || len(v.Analyses) == 0 || v.Analyses[0].Phase != "Successful" {
		return fmt.Errorf("the canary of 1.1.0 went through %v with analyses %+v", weights, v.Analyses)
	}
	s.say(time.Since(begin), "pushed 1.1.0: a canary at %s %%, judged by Prometheus (%s), then stable", list(weights), passed(v.Analyses[0]))
	return nil
}

func badCanary(s *story) error {
	begin, err := s.release("1.1.0", "1.2.0-bad20")
	if err != nil {
		return err
	}
	v, err := s.rollout("rolled back to 1.1.0", func(v local.Rollout) bool { return v.Stage == record.Aborted && serves(v, "1.1.0") })
	if err != nil {
		return err
	}
	a, err := s.client.Application(s.ctx, checkout)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(a.Rollouts, func(r record.Rollout) bool { return r.Rollout == rolloutKey && len(r.Rejected) > 0 })
	if i < 0 || a.Rollouts[i].Origin.Commit == "" {
		return fmt.Errorf("the application does not show the commit that was rejected: %+v", a.Rollouts)
	}
	s.say(time.Since(begin), "pushed 1.2.0, of which one request in five fails: rolled back, commit %.7s is rejected:\n           %s", a.Rollouts[i].Origin.Commit, v.Why)
	return nil
}

func revertedCanary(s *story) error {
	begin, err := s.undo()
	if err != nil {
		return err
	}
	if _, err := s.rollout("healthy at 1.1.0", healthy("1.1.0")); err != nil {
		return err
	}
	s.say(time.Since(begin), "pushed a git revert: healthy at 1.1.0, no pod was restarted")
	// The errors of 1.2.0 must have left the window of the query, which is about all pods, before the next is judged.
	window, err := time.ParseDuration(scaledTo("[5m", s.speed))
	if err != nil {
		return fmt.Errorf("read the window of the query: %w", err)
	}
	_, err = within(s.ctx, canaryWait, func() (struct{}, bool, error) { return struct{}{}, time.Since(begin) > window+5*time.Second, nil })
	return err
}

// promotedByPlugin is a pause without an end that a person ends.
func promotedByPlugin(s *story) error {
	if err := s.edit(rolloutFile, "- pause: {duration: "+scaledTo("duration: 10m", s.speed)+"}\n        - analysis", "- pause: {}\n        - analysis"); err != nil {
		return err
	}
	if _, err := s.release("1.1.0", "1.3.0"); err != nil {
		return err
	}
	if _, err := s.rollout("waiting for a person", pausedAt("1.3.0")); err != nil {
		return err
	}
	how, err := s.plugin("promote", "checkout")
	if err != nil {
		return err
	}
	begin := time.Now()
	if _, err := s.rollout("going on", func(v local.Rollout) bool { return v.Step > 1 || v.Stage == record.Healthy }); err != nil {
		return err
	}
	took := time.Since(begin)
	if _, err := s.rollout("promoted to 1.3.0", healthy("1.3.0")); err != nil {
		return err
	}
	s.say(took, "pushed 1.3.0 with a pause without an end, and %s: it went on, and is stable %.1f s later", how, time.Since(begin).Seconds())
	return nil
}

func abortedByHand(s *story) error {
	if _, err := s.release("1.3.0", "1.4.0"); err != nil {
		return err
	}
	if _, err := s.rollout("waiting for a person", pausedAt("1.4.0")); err != nil {
		return err
	}
	begin := time.Now()
	if err := s.client.Steer(s.ctx, rolloutKey, "abort", "I do not like it"); err != nil {
		return err
	}
	if _, err := s.rollout("back at 1.3.0", func(v local.Rollout) bool { return v.Stage == record.Aborted && serves(v, "1.3.0") }); err != nil {
		return err
	}
	s.say(time.Since(begin), "pushed 1.4.0 and slipway rollout abort: back at 1.3.0")
	return nil
}

// release pushes another tag of the image.
func (s *story) release(from, to string) (time.Time, error) {
	if err := s.edit(rolloutFile, "myorg/checkout:"+from, "myorg/checkout:"+to); err != nil {
		return time.Time{}, err
	}
	return s.push("deploy checkout " + to)
}

// undo pushes a revert of the last commit.
func (s *story) undo() (time.Time, error) {
	if err := s.git("revert", "--no-edit", "HEAD"); err != nil {
		return time.Time{}, err
	}
	return time.Now(), s.git("push", "-q", "origin", "main")
}

// rollout waits until the Rollout is as ok says.
func (s *story) rollout(what string, ok func(local.Rollout) bool) (local.Rollout, error) {
	v, err := within(s.ctx, canaryWait, func() (local.Rollout, bool, error) {
		v, err := s.client.Rollout(s.ctx, rolloutKey)
		if err != nil {
			return v, false, nil //nolint:nilerr // it may not be there yet
		}
		return v, ok(v), nil
	})
	if err != nil {
		return v, fmt.Errorf("%s: %s: %w (%+v)%s", rolloutKey, what, err, v, s.why())
	}
	return v, nil
}

// plugin has kubectl's plugin do a verb; where there is none, kubectl sends the patch that the plugin's promote is.
func (s *story) plugin(verb, name string) (how string, err error) {
	binary := os.Getenv(pluginVariable)
	if binary == "" {
		binary, _ = exec.LookPath("kubectl-argo-rollouts") // absent: see below
	}
	if binary == "" {
		return "kubectl patch of what its plugin's promote patches", s.kubectl("patch", "rollout", name, "--subresource=status", "--type=merge", "--patch", `{"status":{"pauseConditions":null}}`)
	}
	cmd := exec.CommandContext(s.ctx, binary, verb, name, "-n", "production", "--kubeconfig", s.ready.Kubeconfig) //nolint:gosec // the user's own plugin
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("kubectl argo rollouts %s: %w: %s", verb, err, out)
	}
	return "kubectl argo rollouts " + verb, nil
}

// healthy reports whether a Rollout has ended with that tag as stable.
func healthy(tag string) func(local.Rollout) bool {
	return func(v local.Rollout) bool { return v.Phase == "Healthy" && v.Stage == record.Healthy && serves(v, tag) }
}

// serves reports whether all pods are of that tag, as many as wanted.
func serves(v local.Rollout, tag string) bool {
	for _, set := range v.Sets {
		if strings.HasSuffix(set.Image, ":"+tag) {
			if set.Role != "stable" || set.Available != v.Replicas {
				return false
			}
		} else if set.Replicas > 0 {
			return false
		}
	}
	return len(v.Sets) > 0
}

// pausedAt reports whether the canary is of that tag and waits without an end.
func pausedAt(tag string) func(local.Rollout) bool {
	return func(v local.Rollout) bool {
		return v.Phase == "Paused" && canaryOf(v, tag)
	}
}

// canaryOf reports whether pods of a canary of that tag serve.
func canaryOf(v local.Rollout, tag string) bool {
	return slices.ContainsFunc(v.Sets, func(set local.ReplicaSet) bool {
		return set.Role == "canary" && strings.HasSuffix(set.Image, ":"+tag) && set.Available > 0
	})
}

func passed(a local.Analysis) string {
	n := int32(0)
	for _, m := range a.Metrics {
		n += m.Successful
	}
	return fmt.Sprintf("%d measurements passed", n)
}

func list(weights []int32) string {
	out := make([]string, len(weights))
	for i, w := range weights {
		out[i] = fmt.Sprint(w)
	}
	return strings.Join(out, ", ")
}
