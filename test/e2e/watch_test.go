//go:build cluster

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/local/devkube"
	"slipway/test/cluster"
	"slipway/test/e2e/up"
)

// period is how often a run of drift is due, and asks the one before to hand over.
const period = 5 * time.Second

// kubectl is what a person does by hand, with the real command.
func (w *world) kubectl(args ...string) {
	w.t.Helper()
	binary, err := devkube.Find()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.CommandContext(w.t.Context(), binary, append([]string{"kubectl", "--kubeconfig", cluster.Kubeconfig(), "-n", w.ns}, args...)...) //nolint:gosec // the test's own arguments
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("kubectl %v: %v: %s", args, err, out)
	}
}

// healed does something by hand and waits until the object is right again: at another resourceVersion, since it was right
// before.
func (w *world) healed(r schema.GroupVersionResource, name string, right func(*unstructured.Unstructured) bool, by ...string) *unstructured.Unstructured {
	w.t.Helper()
	before := w.get(r, name)
	if !right(before) {
		w.t.Fatalf("%s is not right before kubectl %v", name, by)
	}
	w.kubectl(by...)
	begin := time.Now()
	u := w.rightAgain(r, name, right, before)
	w.t.Logf("kubectl %v: healed after %s", by, time.Since(begin).Round(time.Millisecond))
	return u
}

func (w *world) rightAgain(r schema.GroupVersionResource, name string, right func(*unstructured.Unstructured) bool, before *unstructured.Unstructured) *unstructured.Unstructured {
	w.t.Helper()
	return up.Until(w.t, up.Seen, name+" is healed", func() (*unstructured.Unstructured, bool, string) {
		u, err := w.kube.Resource(r).Namespace(w.ns).Get(w.t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return nil, false, err.Error()
		}
		return u, right(u) && u.GetResourceVersion() != before.GetResourceVersion(), fmt.Sprint(u.Object)
	})
}

// watched counts the watches of the cluster that have ended and handed over, by the log.
func (w *world) watched() int {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.Process.Dir, "slipway.log"))
	if err != nil {
		w.t.Fatal(err)
	}
	n := 0
	for line := range bytes.Lines(b) {
		var l struct{ Msg, Mode, Error string }
		if json.Unmarshal(line, &l) == nil && l.Msg == "drift" && l.Mode == "watch" && l.Error == "" {
			n++
		}
	}
	return n
}

func holds(key, value string) func(*unstructured.Unstructured) bool {
	return func(u *unstructured.Unstructured) bool {
		got, _, _ := unstructured.NestedString(u.Object, "data", key)
		return got == value
	}
}

func hasReplicas(n int64) func(*unstructured.Unstructured) bool {
	return func(u *unstructured.Unstructured) bool {
		got, _, _ := unstructured.NestedInt64(u.Object, "spec", "replicas")
		return got == n
	}
}

// What is done by hand is healed by a watch, at any moment: while it holds, while it hands over to the next, and once it
// is back after it was killed.
func TestAWatchHealsAcrossAHandOverAndAKill(t *testing.T) {
	t.Parallel()
	const keys = 100
	var pairs []string
	for i := range keys {
		pairs = append(pairs, fmt.Sprint("key", i), "git")
	}
	w := given(t, func(o *up.Options) { o.Watch, o.Drift = true, period })
	w.declare("web")
	w.Write(map[string]string{"web/web.yaml": deployment("web", 2, "web:1"), "web/settings.yaml": configMap("settings", pairs...)})
	w.applied(w.Push("Deploy"), "web")

	uid := w.get(configMaps, "settings").GetUID()
	w.healed(deployments, "web", hasReplicas(2), "scale", "deployment/web", "--replicas=5")
	made := w.healed(configMaps, "settings", holds("key0", "git"), "delete", "configmap", "settings")
	if made.GetUID() == uid {
		t.Error("it was not deleted")
	}
	edit := func(i int) {
		key := fmt.Sprint("key", i)
		w.healed(configMaps, "settings", holds(key, "git"), "patch", "configmap", "settings", "--patch", `{"data":{"`+key+`":"by hand"}}`)
	}
	// Each edit is of another field, so none waits; a hand-over is due in the midst of them.
	edits := 0
	for from, end := w.watched(), time.Now().Add(up.Seen); w.watched() == from; edits++ {
		if time.Now().After(end) {
			t.Fatalf("no hand-over in %s and %d edits", up.Seen, edits)
		}
		edit(edits % keys)
	}
	edit(edits % keys)
	// A sweep that somebody asks for finds nothing that the watch has left.
	if out, errs, code := w.Run("sweep"); code != 0 {
		t.Errorf("slipway sweep beside a watch: exit code %d: %s%s", code, out, errs)
	}

	w.Kill()
	scaled, settings := w.get(deployments, "web"), w.get(configMaps, "settings")
	w.kubectl("scale", "deployment/web", "--replicas=7")
	w.kubectl("delete", "configmap", "settings")
	if _, err := w.kube.Resource(configMaps).Namespace(w.ns).Get(t.Context(), "settings", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Fatalf("healed by nobody: %v", err)
	}
	w.Again()
	begin := time.Now()
	w.rightAgain(deployments, "web", hasReplicas(2), scaled)
	w.rightAgain(configMaps, "settings", holds("key0", "git"), settings)
	t.Logf("killed, edited and started again: healed after %s", time.Since(begin).Round(time.Millisecond))
	edit((edits + 1) % keys)
	a := w.Application(w.app("web"))
	if a.Status != "Synced" {
		t.Errorf("in the end: %s", up.Say(a))
	}
}
