package drift

import (
	"cmp"
	"slices"
	"time"

	"slipway/internal/app"
	"slipway/internal/manifest"
)

// Outcome is what an object turned out to be.
type Outcome string

// The outcomes. InSync is never reported; Touched neither: nothing really differs, and the new marks are remembered.
const (
	InSync  Outcome = "InSync"
	Drifted Outcome = "Drifted" // a field of ours has another value
	Missing Outcome = "Missing" // it was deleted
	Extra   Outcome = "Extra"   // ours, live, and in no set
	Foreign Outcome = "Foreign" // somebody has added fields; a re-apply removes none
	Touched Outcome = "Touched"
	Unknown Outcome = "Unknown" // it could not be judged; Because says why
)

// Field is one field that differs.
type Field struct {
	Path    string    `json:"path"`          // .spec.template.spec.containers[name="app"].image
	Old     any       `json:"old,omitempty"` // what git says; masked, absent for a field that somebody added
	New     any       `json:"new,omitempty"` // what is live; masked
	Manager string    `json:"manager,omitempty"`
	At      time.Time `json:"at,omitzero"`   // when the manager wrote, by managedFields
	Wait    time.Time `json:"wait,omitzero"` // it is healed at this time, not before
	Fight   string    `json:"fight,omitempty"`
}

// Finding is one object that is not as git says.
type Finding struct {
	manifest.ID
	Outcome Outcome   `json:"outcome"`
	Fields  []Field   `json:"fields,omitempty"`
	Because string    `json:"because,omitempty"`
	Seen    time.Time `json:"seen"`
	Healed  bool      `json:"healed,omitempty"` // but for fields that wait or are fought over
	Wait    time.Time `json:"wait,omitzero"`    // the first of its fields that wait is healed at this time, not before
	Fight   string    `json:"fight,omitempty"`  // the manager that keeps undoing a field; healing that one has stopped
}

// Report is one sweep of one cluster.
type Report struct {
	Cluster      string    `json:"cluster"`
	Applications int       `json:"applications"`
	Objects      int       `json:"objects"`
	Suspects     int       `json:"suspects"`
	Judged       int       `json:"judged"`
	Healed       int       `json:"healed"`
	Skipped      int       `json:"skipped"`            // applications at work, or with something newer wanted
	Events       int       `json:"events,omitempty"`   // changes that a watch told of
	Fallback     string    `json:"fallback,omitempty"` // why a cluster in watch mode was only swept
	Requests     int       `json:"requests"`
	Bytes        int64     `json:"bytes"`
	Milliseconds int64     `json:"milliseconds"`
	Findings     []Located `json:"findings,omitempty"`
}

// Located is a finding and its application.
type Located struct {
	Application string `json:"application"`
	Finding
}

func (r *Report) add(name app.Name, v verdict) {
	r.Judged += v.judged
	r.Healed += v.healed
	for _, f := range v.findings {
		r.Findings = append(r.Findings, Located{string(name), f})
	}
}

func (r *Report) sort() {
	slices.SortFunc(r.Findings, func(a, b Located) int {
		return cmp.Or(cmp.Compare(a.Application, b.Application), cmp.Compare(a.ID.String(), b.ID.String()), cmp.Compare(a.Outcome, b.Outcome))
	})
}
