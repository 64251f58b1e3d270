package drift

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"slipway/internal/app"
	"slipway/internal/manifest"
)

// What is kept of one application, at most.
const (
	noteCap   = 100    // findings
	knownCap  = 1000   // objects with fields of others
	healedFor = forget // a heal is shown for so long
)

// State is what is known of an application's drift. It may be lost: what matters is found again.
type State struct {
	Findings []Finding            `json:"findings,omitempty"`
	Heals    memory               `json:"heals,omitempty"`
	Others   map[string]string    `json:"others,omitempty"` // by object: the others' entries that were judged
	Scaled   map[string]time.Time `json:"scaled,omitempty"` // by object: when an autoscaler was found to set its replicas
	Seq      uint64               `json:"seq,omitempty"`    // of what is applied: another one forgets the heals
	More     int                  `json:"more,omitempty"`   // findings beyond the cap
}

func noteKey(name app.Name) string { return "drift/" + string(name) }

// Of reads what the last sweeps have found of an application.
func (d *Drift) Of(ctx context.Context, name app.Name) (State, error) {
	var s State
	text, err := d.Notes.Get(ctx, noteKey(name))
	if err != nil {
		return s, fmt.Errorf("read drift of %s: %w", name, err)
	}
	if json.Unmarshal([]byte(text), &s) != nil {
		s = State{}
	}
	if s.Heals == nil {
		s.Heals = memory{}
	}
	for k, h := range s.Heals {
		if h == nil {
			delete(s.Heals, k)
		}
	}
	if s.Scaled == nil {
		s.Scaled = map[string]time.Time{}
	}
	if s.Others == nil {
		s.Others = map[string]string{}
	}
	return s, nil
}

// renew forgets the heals of another revision (security H2).
func (s *State) renew(seq uint64) {
	if s.Seq != seq {
		s.Seq, s.Heals = seq, memory{}
	}
}

// merge replaces what was found of objects by what is found now.
func (s *State) merge(over, judged []manifest.ID, found []Finding) {
	s.Findings = slices.DeleteFunc(s.Findings, func(f Finding) bool {
		return slices.Contains(over, f.ID) || slices.Contains(judged, f.ID)
	})
	s.Findings = append(s.Findings, found...)
	for _, id := range over {
		delete(s.Others, id.String())
		delete(s.Scaled, id.String())
	}
}

// know remembers which entries of others were judged, so that an object is looked at again only when they are others.
func (s *State) know(id manifest.ID, j *judged) {
	delete(s.Others, id.String())
	delete(s.Scaled, id.String())
	if j.left && len(s.Scaled) < knownCap {
		s.Scaled[id.String()] = j.Seen
	}
	if j.live == nil || j.others == "" || len(s.Others) >= knownCap {
		return
	}
	s.Others[id.String()] = j.others
}

// trim drops what is too old or too much to keep.
func (s *State) trim(now time.Time) *State {
	s.Heals.clean(now)
	s.Findings = slices.DeleteFunc(s.Findings, func(f Finding) bool {
		return f.Healed && f.Wait.IsZero() && f.Fight == "" && now.Sub(f.Seen) > healedFor
	})
	s.More = max(0, len(s.Findings)-noteCap)
	s.Findings = s.Findings[:min(len(s.Findings), noteCap)]
	return s
}

// text is s as it is stored, empty if there is nothing to keep.
func (s *State) text() string {
	if len(s.Findings) == 0 && len(s.Heals) == 0 && len(s.Others) == 0 && len(s.Scaled) == 0 {
		return ""
	}
	b, err := json.Marshal(s)
	if err != nil {
		return "" // plain data, and masked values of JSON: it cannot be
	}
	return string(b)
}

func (d *Drift) save(ctx context.Context, name app.Name, text string) error {
	if err := d.Notes.Set(ctx, noteKey(name), text); err != nil {
		return fmt.Errorf("store drift of %s: %w", name, err)
	}
	return nil
}

// index is the applications of a cluster of which something is kept, so that what is over is noticed.
func (d *Drift) index(ctx context.Context, cluster string) ([]app.Name, error) {
	text, err := d.Notes.Get(ctx, indexKey(cluster))
	if err != nil {
		return nil, fmt.Errorf("read drift of cluster %s: %w", cluster, err)
	}
	var names []app.Name
	if json.Unmarshal([]byte(text), &names) != nil {
		names = nil // lost: what is found again is in it again
	}
	return names, nil
}

func indexKey(cluster string) string { return "drift-in/" + cluster }

// reindex puts into the index of whom something is kept, and takes out of whom nothing is.
func (d *Drift) reindex(ctx context.Context, cluster string, noted map[app.Name]bool) error {
	if len(noted) == 0 {
		return nil
	}
	d.indexing.Lock()
	defer d.indexing.Unlock()
	before, err := d.index(ctx, cluster)
	if err != nil {
		return err
	}
	names := slices.DeleteFunc(slices.Clone(before), func(n app.Name) bool { is, judged := noted[n]; return judged && !is })
	for n, is := range noted {
		if is && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	if slices.Equal(names, before) {
		return nil
	}
	text := ""
	if len(names) > 0 {
		b, err := json.Marshal(names)
		if err != nil {
			return fmt.Errorf("encode drift of cluster %s: %w", cluster, err)
		}
		text = string(b)
	}
	if err := d.Notes.Set(ctx, indexKey(cluster), text); err != nil {
		return fmt.Errorf("store drift of cluster %s: %w", cluster, err)
	}
	return nil
}
