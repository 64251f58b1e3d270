package rollout

import (
	"os"
	"testing"

	"slipway/internal/fault"
)

func FuzzDecode(f *testing.F) {
	text, err := os.ReadFile(tutorial)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(with("      trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: a}}}", "  replicas: 3")))
	f.Add([]byte(with("      steps: [{setWeight: 5}, {pause: {duration: 1h}}]", "")))
	f.Add([]byte("{"))
	f.Fuzz(func(t *testing.T, text []byte) {
		ro, err := Decode(text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("kind %v: %v", fault.Of(err), err)
			}
			return
		}
		if _, _, err := Decide(In{Task: Begin, Rollout: ro}); err != nil { // what was read can be decided on
			t.Fatal(err)
		}
	})
}
