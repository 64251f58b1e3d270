package deploy

import "testing"

// What test/sim found (seed 212): a run is paused before its dry run. A newer one creates the object that it was about to
// create; the dry run finds the creation taken and reads that object, with the newer run's resourceVersion, so only the
// record can tell that the lock is lost (rules 10 and 12).
func TestAPausedRunCannotOverwriteWhatANewerOneHasCreated(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v2")})
	err := w.interrupt("try", false, func() {
		w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v3")})
		w.successor()
	})
	w.returned(err)
	w.wantValues(map[string]string{"a": "v1", "b": "v3"})
}
