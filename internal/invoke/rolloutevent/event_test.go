package rolloutevent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/fault"
	"slipway/internal/rollout"
	"slipway/internal/rollout/drive"
)

func example(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../../events/rollout", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var order = drive.Key{Cluster: "in-cluster", Namespace: "production", Name: "order-service"}

const fence = 1764100000000000000

func TestEachOfTheThreeEventsIsRead(t *testing.T) {
	for name, want := range map[string]Event{
		"task.json": {Task: &drive.Call{Task: rollout.Ready, State: drive.State{
			Rollout: order.String(), Fence: fence, Number: 200, Task: rollout.Ready, After: 1, Hash: "6d9fd9cd8c", Tries: 1, Events: 60,
		}}},
		"control.json": {Control: &drive.Control{Rollout: order.String(), Action: "abort"}},
		"ended.json": {Ended: &Ended{
			Name: "in-cluster-production-order-service-6d9fd9cd8c-dei1pdodbpc0", Status: "ABORTED", Rollout: order, Fence: fence,
		}},
	} {
		got, err := Parse(example(t, name))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestWhatIsNoneOfThemIsRefusedWithItsReason(t *testing.T) {
	ended := string(example(t, "ended.json"))
	for name, c := range map[string]struct{ event, want string }{
		"no JSON":                 {`{`, "unexpected end"},
		"a list":                  {`[]`, "array"},
		"an empty one":            {`{}`, "task is missing"},
		"an unknown field":        {`{"task":"Ready","colour":1}`, `unknown field "colour"`},
		"another case":            {`{"Task":"Ready"}`, `unknown field "Task"`},
		"an unknown verb's field": {`{"control":{"rollout":"a/b/c","verb":"abort"}}`, `unknown field "control.verb"`},
		"another event":           {strings.Replace(ended, statusChange, "Scheduled Event", 1), "Scheduled Event"},
		"no rollout":              {strings.Replace(ended, "in-cluster/production/order-service", "production/order-service", 1), "names no rollout"},
		"no input":                {strings.Replace(ended, `"input": "{`, `"input": "`, 1), "its input"},
		"too long":                {`{"task":"` + strings.Repeat("x", maxEvent) + `"}`, "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(c.event))
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, not %q", err, c.want)
			}
		})
	}
}
