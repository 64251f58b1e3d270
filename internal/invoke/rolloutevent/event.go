package rolloutevent

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	strict "sigs.k8s.io/json"

	"slipway/internal/fault"
	"slipway/internal/rollout/drive"
)

// maxEvent bounds an event: Step Functions hands over 256 KiB at most, and EventBridge as much.
const maxEvent = 512 << 10 // bytes

// Event is what the functions rollout and analysis are invoked with: exactly one of the three.
type Event struct {
	Task    *drive.Call    // by the state machine, one attempt of one task
	Control *drive.Control // by the state machine that a person starts
	Ended   *Ended         // by EventBridge's rule
}

// Ended is an execution that has ended without ending its rollout, perhaps.
type Ended struct {
	Name    string // of the execution
	Status  string // FAILED, TIMED_OUT, ABORTED
	Rollout drive.Key
	Fence   uint64
}

// statusChange is the detail-type of EventBridge's events (Step Functions developer guide, "Automating with EventBridge").
const statusChange = "Step Functions Execution Status Change"

// Parse reads an event; fault.Invalid if it is none of the three. What is ours is read strictly; EventBridge may add fields
// to what is its own.
func Parse(event []byte) (Event, error) {
	if len(event) > maxEvent {
		return Event{}, fault.New(fault.Invalid, "decode rollout event: %d bytes, at most %d", len(event), maxEvent)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(event, &fields); err != nil {
		return Event{}, fault.New(fault.Invalid, "decode rollout event: %w", err)
	}
	switch {
	case fields["detail-type"] != nil:
		e, err := ended(event)
		return Event{Ended: e}, err
	case fields["control"] != nil:
		var e struct {
			Control drive.Control `json:"control"`
		}
		err := decode(event, &e)
		return Event{Control: &e.Control}, err
	}
	var c drive.Call
	err := decode(event, &c)
	if err == nil && c.Task == "" {
		err = fault.New(fault.Invalid, "decode rollout event: task is missing")
	}
	return Event{Task: &c}, err
}

func decode(event []byte, into any) error {
	unknown, err := strict.UnmarshalStrict(event, into)
	if err = errors.Join(append(unknown, err)...); err != nil {
		return fault.New(fault.Invalid, "decode rollout event: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return nil
}

func ended(event []byte) (*Ended, error) {
	var e struct {
		Type   string `json:"detail-type"`
		Detail struct {
			Name   string `json:"name"`
			Status string `json:"status"`
			Input  string `json:"input"` // JSON in a string; absent when it is long, which ours is not
		} `json:"detail"`
	}
	wrong := func(format string, args ...any) error {
		return fault.New(fault.Invalid, "decode event of an execution: "+format, args...)
	}
	if err := strict.UnmarshalCaseSensitivePreserveInts(event, &e); err != nil {
		return nil, wrong("%w", err)
	}
	if e.Type != statusChange {
		return nil, wrong("%.80q is not %q", e.Type, statusChange)
	}
	var in drive.State
	if err := json.NewDecoder(bytes.NewReader([]byte(e.Detail.Input))).Decode(&in); err != nil {
		return nil, wrong("%.80s: its input: %w", e.Detail.Name, err)
	}
	k, err := drive.ParseKey(in.Rollout)
	if err != nil || in.Fence == 0 {
		return nil, wrong("%.80s: its input names no rollout and fence", e.Detail.Name)
	}
	return &Ended{Name: e.Detail.Name, Status: e.Detail.Status, Rollout: k, Fence: in.Fence}, nil
}
