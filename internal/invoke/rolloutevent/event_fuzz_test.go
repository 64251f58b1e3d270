package rolloutevent

import (
	"testing"

	"slipway/internal/fault"
)

// An event that is read names exactly one thing to do; all others are Invalid.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"task.json", "control.json", "ended.json"} {
		f.Add(example(f, name))
	}
	f.Add([]byte(`{"detail-type":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := Parse(data)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%v is of kind %s", err, fault.Of(err))
			}
			return
		}
		n := 0
		for _, is := range []bool{e.Task != nil, e.Control != nil, e.Ended != nil} {
			if is {
				n++
			}
		}
		if n != 1 || e.Ended != nil && e.Ended.Fence == 0 {
			t.Errorf("%+v", e)
		}
	})
}
