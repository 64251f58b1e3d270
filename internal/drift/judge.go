package drift

import (
	"context"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/deploy"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// judged is a finding and what it was found by.
type judged struct {
	Finding
	live    *unstructured.Unstructured
	next    *unstructured.Unstructured // what our apply would make of it
	added   []ownership.Owned
	left    bool   // fields of it differ from git, as an autoscaler or a Rollout sets them
	blocked bool   // our apply is refused as long as what others added is there
	bare    bool   // its managed fields were wiped
	others  string // hash of the others' entries, if they have fields that are not ours
}

// looks bounds how often an object is read again because it has changed while it was looked at.
const looks = 5

// reasonCap bounds why an object could not be judged, in bytes.
const reasonCap = 512

// judge looks at one object again: a fresh GET and one dry run of what was applied, with the live values of what is
// ignored, of replicas that an autoscaler sets and of what a Rollout holds (design.md 3). Whatever the dry run would
// change is drift; defaulting, admission and quantities written another way are the same on both sides.
func judge(ctx context.Context, h *deploy.Held, id manifest.ID) (judged, error) {
	var err error
	for range looks {
		j := judged{Finding: Finding{ID: id, Outcome: InSync, Seen: time.Now()}}
		if err = j.look(ctx, h); !fault.Is(err, fault.Conflict) {
			return j, err
		}
	}
	return judged{Finding: Finding{ID: id, Outcome: Unknown, Seen: time.Now()}}, err
}

func (j *judged) look(ctx context.Context, h *deploy.Held) error {
	live, err := h.Get(ctx, j.ID)
	if fault.Is(err, fault.NotFound) {
		if h.Has(j.ID) {
			j.Outcome = Missing
		}
		return nil
	}
	if err != nil {
		return err
	}
	j.live = live
	if why := others(h, live); why != "" {
		j.Outcome, j.Because = Unknown, why
		return nil
	}
	if !h.Has(j.ID) {
		if h.Owns(live) {
			j.Outcome = Extra
		}
		return nil
	}
	if err := j.compare(ctx, h); err != nil {
		return err
	}
	j.decide(h)
	return nil
}

// others says why an object is not ours to judge.
func others(h *deploy.Held, live *unstructured.Unstructured) string {
	if live.GetDeletionTimestamp() != nil {
		why := "it is being deleted"
		if f := live.GetFinalizers(); len(f) > 0 {
			why += "; it waits for " + manifest.CleanText(strings.Join(f, ", "), valueCap)
		}
		return why
	}
	if name := h.Other(live); name != "" && h.Has(manifest.IDOf(live)) {
		return "it belongs to application " + manifest.CleanText(string(name), valueCap)
	}
	if c := metav1.GetControllerOf(live); c != nil && h.Has(manifest.IDOf(live)) {
		return "it is controlled by " + c.Kind + " " + c.Name
	}
	return ""
}

// compare tries our apply. What it is refused for because of what others added is drift too (security H5); a field that
// cannot be changed any more needs a new object, and no removal helps.
func (j *judged) compare(ctx context.Context, h *deploy.Held) error {
	j.saw(j.live)
	stays, left, err := h.Stays(ctx, j.ID, j.live)
	if err != nil {
		return err
	}
	j.left = left
	j.added = stays.Without(ownership.Foreign(j.live.GetManagedFields()))
	j.bare = len(j.live.GetManagedFields()) == 0
	next, err := h.Try(ctx, j.ID, j.live, stays)
	if fault.Is(err, fault.Invalid) && len(inTheWay(h.Said(j.ID), j.live, j.added)) > 0 && !strings.Contains(err.Error(), "immutable") {
		j.added = inTheWay(h.Said(j.ID), j.live, j.added)
		j.blocked, j.Because = true, manifest.CleanText(err.Error(), reasonCap)
		return nil
	}
	if err != nil {
		return err
	}
	j.next = next
	j.added = stays.Without(ownership.Foreign(next.GetManagedFields())) // a field of ours that somebody took is drift, not theirs
	j.Fields = differences(j.live, next)
	return nil
}

// saw remembers the others' entries of the object as it is now, if they may have added something.
func (j *judged) saw(live *unstructured.Unstructured) {
	j.others = ""
	if len(ownership.Foreign(live.GetManagedFields())) > 0 {
		j.others = ownership.MarkOf(manifest.MetadataOf(live)).Others
	}
}

func (j *judged) decide(h *deploy.Held) {
	switch {
	case j.blocked:
		j.Outcome, j.Fields = Drifted, foreignFields(j.live, j.added)
	case len(j.Fields) > 0:
		j.Outcome = Drifted
	case !h.Owns(j.live):
		j.Outcome, j.Because = Drifted, "our ownership of it was taken away"
	case len(j.added) > 0:
		j.Outcome, j.Fields = Foreign, foreignFields(j.live, j.added)
		h.Remember(j.ID, manifest.MetadataOf(j.live)) // reported as long as it is there
	default:
		j.Outcome = Touched
		h.Remember(j.ID, manifest.MetadataOf(j.live))
	}
}
