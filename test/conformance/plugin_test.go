//go:build conformance

package conformance

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/local"
	"slipway/internal/record"
	"slipway/test/e2e/up"
)

var update = flag.Bool("update", false, "write the goldens of kubectl's plugin")

const stepped = `apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: order-service}
spec:
  replicas: 5
  selector: {matchLabels: {app: order-service}}
  strategy:
    canary:
      canaryService: order-service-canary
      stableService: order-service-stable
      steps:
        - setWeight: 20
        - pause: {duration: 10m}
        - setWeight: 40
        - analysis: {templates: [{templateName: holds}]}
        - pause: {}
  template:
    metadata: {labels: {app: order-service}}
    spec: {containers: [{name: order-service, image: "myorg/order-service:1.0.0"}]}
`

const holds = `apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: holds}
spec:
  metrics:
    - name: one
      interval: 10m
      count: 2
      successCondition: result[0] >= 1
      failureCondition: result[0] < 0
      provider: {prometheus: {address: http://prometheus:9090, query: vector(1)}}
`

var (
	hashes = regexp.MustCompile(`order-service-([a-z0-9]{8,10})\b`)
	podIDs = regexp.MustCompile(`(HASH\d)-[a-z0-9]{5}\b`)
	ages   = regexp.MustCompile(` (\d+h)?(\d+m)?\d+s\b`)
	blanks = regexp.MustCompile(` {2,}`)
)

// plain is a `get` without what is another each time: hashes by the order in which they come, pods, ages.
func plain(out string) string {
	var seen []string
	out = hashes.ReplaceAllStringFunc(out, func(m string) string {
		if !slices.Contains(seen, m) {
			seen = append(seen, m)
		}
		return fmt.Sprintf("order-service-HASH%d", slices.Index(seen, m)+1)
	})
	out = podIDs.ReplaceAllString(out, "$1-POD")
	out = blanks.ReplaceAllString(ages.ReplaceAllString(out, " AGE"), "  ")
	lines := strings.Split(out, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}

// shows waits until `get` shows what the golden says; it may be some moments behind.
func (r *rolling) shows(name string) {
	r.t.Helper()
	path := filepath.Join("testdata", "plugin", name+".txt")
	get := func() string { return plain(r.kubectl("get", "rollout", "order-service", "--no-color")) }
	if *update {
		time.Sleep(3 * time.Second) // a person reads what it writes
		if err := os.WriteFile(path, []byte(get()), 0o600); err != nil {
			r.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path) //nolint:gosec // a golden
	if err != nil {
		r.t.Fatal(err)
	}
	up.Until(r.t, rolled, "get shows "+name, func() (string, bool, string) {
		got := get()
		return got, got == string(want), cmp.Diff(string(want), got)
	})
}

// output is what a command prints, while it prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// shows waits until it has printed a text.
func (o *output) shows(t *testing.T, text string) {
	t.Helper()
	up.Until(t, rolled, "get --watch shows "+text, func() (string, bool, string) {
		o.mu.Lock()
		defer o.mu.Unlock()
		got := o.b.String()
		return got, strings.Contains(got, text), got
	})
}

// watches is `get --watch` in the background.
func (r *rolling) watches() *output {
	r.t.Helper()
	out := &output{}
	cmd := exec.CommandContext(r.t.Context(), plugin, "get", "rollout", "order-service", "--watch", "--no-color", "-n", "production", "--kubeconfig", r.Kubeconfig) //nolint:gosec // fixed
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return out
}

func (r *rolling) release(from, to string) string {
	r.t.Helper()
	r.Edit("apps/rollout.yaml", "order-service:"+from, "order-service:"+to)
	return r.Push("Release " + to)
}

func (r *rolling) says(want string, args ...string) {
	r.t.Helper()
	up.Until(r.t, rolled, strings.Join(args, " ")+" says "+want, func() (string, bool, string) {
		got, err := r.tries(args...)
		return got, strings.Contains(got, want), fmt.Sprint(got, err)
	})
}

// The plugin as it is released, against what we write: each of its verbs, in the middle of a pause of ten minutes.
func TestKubectlsPluginWorksUnmodified(t *testing.T) {
	t.Parallel()
	r := newRolling(t)
	r.Write(map[string]string{"apps/rollout.yaml": stepped, "apps/analysis.yaml": holds, "apps/services.yaml": twoServices})
	r.Push("Add order-service")
	r.awaits("the first revision is stable", healthyAt("1.0.0"))
	r.shows("initial")

	r.release("1.0.0", "1.1.0")
	r.awaits("it pauses", pausedAt(1, "1.1.0"))
	r.shows("paused")
	r.says("Paused", "status", "order-service", "--watch=false")
	r.says("1/5", "list", "rollouts")
	watched := r.watches()
	watched.shows(t, "CanaryPauseStep")
	r.kubectl("promote", "order-service")
	r.awaits("it is analysed", func(v local.Rollout) bool {
		return v.Step == 3 && len(v.Analyses) == 1 && len(v.Analyses[0].Metrics) == 1 && v.Analyses[0].Metrics[0].Successful == 1
	})
	r.shows("analysing")
	watched.shows(t, "AnalysisRun")
	r.kubectl("promote", "order-service")
	r.awaits("the analysis is skipped", pausedAt(4, "1.1.0"))
	r.shows("promoted")
	r.kubectl("abort", "order-service")
	r.awaits("it is rolled back", func(v local.Rollout) bool { return v.Stage == record.Aborted })
	r.shows("aborted")
	r.says("Degraded", "status", "order-service", "--watch=false")
	r.kubectl("retry", "rollout", "order-service")
	r.awaits("it pauses again", pausedAt(1, "1.1.0"))
	r.kubectl("promote", "order-service", "--full")
	r.awaits("it is promoted", healthyAt("1.1.0"))
	r.shows("healthy")

	r.Edit("apps/analysis.yaml", "result[0] >= 1", "result[0] > 2")
	r.release("1.1.0", "1.2.0")
	r.awaits("it pauses", pausedAt(1, "1.2.0"))
	r.kubectl("promote", "order-service")
	r.awaits("it cannot be judged", func(v local.Rollout) bool { return v.Phase == "Paused" && v.Step == 3 })
	r.shows("inconclusive")
	r.kubectl("promote", "order-service")
	r.awaits("a person has judged", pausedAt(4, "1.2.0"))
	r.kubectl("promote", "order-service")
	r.awaits("it is promoted", healthyAt("1.2.0"))
}

// What the plugin edits is put back where selfHeal is on, and named, and rolled out where it is off.
func TestAnUndoOrAnotherImageIsPutBackByNameOrRolledOut(t *testing.T) {
	t.Parallel()
	r := newRolling(t)
	r.Write(map[string]string{"apps/rollout.yaml": stepped, "apps/analysis.yaml": holds, "apps/services.yaml": twoServices})
	r.Push("Add order-service")
	r.awaits("the first revision is stable", healthyAt("1.0.0"))
	r.release("1.0.0", "1.1.0")
	r.awaits("it pauses", pausedAt(1, "1.1.0"))
	r.kubectl("promote", "order-service", "--full")
	r.awaits("it is promoted", healthyAt("1.1.0"))
	for _, verb := range [][]string{{"set", "image", "order-service", "order-service=myorg/order-service:handmade"}, {"undo", "order-service"}} {
		r.kubectl(verb...)
		r.healed(strings.Join(verb, " ")+" is put back, and named", ".image")
		r.awaits("it is as git says", healthyAt("1.1.0"))
	}
	r.restarts()

	r.declare("")
	sha := r.Push("Heal nothing")
	r.Applied("argocd/root", sha)
	r.Applied(shop, sha) // a sync puts git's image back, whatever is healed
	r.kubectl("set", "image", "order-service", "order-service=myorg/order-service:handmade")
	v := r.awaits("another image is a canary", pausedAt(1, "handmade"))
	// Without a revision it goes back to the last but one, which is another each time: a heal counts too.
	r.kubectl("undo", "order-service", "--to-revision", fmt.Sprint(v.Sets[slices.IndexFunc(v.Sets, func(s local.ReplicaSet) bool { return s.Role == "stable" })].Revision))
	r.awaits("an undo goes back", func(v local.Rollout) bool { return healthyAt("1.1.0")(v) && !runs(v, "canary", "handmade") })
	r.restarts()
}

// healed waits until what the plugin has edited is healed, under its name.
func (r *rolling) healed(what, field string) {
	r.t.Helper()
	up.Until(r.t, rolled, what, func() (struct{}, bool, string) {
		a := r.Application(shop)
		for _, f := range a.Drift {
			for _, c := range f.Fields {
				if f.Healed && strings.HasPrefix(c.Manager, "kubectl-argo-rollouts") && strings.HasSuffix(c.Path, field) {
					return struct{}{}, true, ""
				}
			}
		}
		return struct{}{}, false, fmt.Sprintf("%+v", a.Drift)
	})
}

// restarts has all pods take another's place.
func (r *rolling) restarts() {
	r.t.Helper()
	pods := func() []string {
		all := regexp.MustCompile(`order-service-[a-z0-9]+-[a-z0-9]{5}\b`).FindAllString(r.kubectl("get", "rollout", "order-service", "--no-color"), -1)
		slices.Sort(all)
		return slices.Compact(all)
	}
	// A restart is of the pods that were made before its second.
	made := time.Now()
	up.Until(r.t, rolled, "the pods are of an earlier second", func() (struct{}, bool, string) {
		return struct{}{}, time.Since(made) > 1100*time.Millisecond, ""
	})
	before := pods()
	r.kubectl("restart", "order-service")
	up.Until(r.t, rolled, "all pods are others", func() (struct{}, bool, string) {
		now := pods()
		others := !slices.ContainsFunc(now, func(p string) bool { return slices.Contains(before, p) })
		return struct{}{}, others && len(now) == 5, fmt.Sprintf("%s before %s", now, before)
	})
	r.awaits("it is healthy", healthyAt("1.1.0"))
}
