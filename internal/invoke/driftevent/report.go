package driftevent

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"slipway/internal/app"
	"slipway/internal/drift"
	"slipway/internal/manifest"
)

// Report is a run in short, as the Lambda console shows it: counts, and what is fought over. It holds no values.
type Report struct {
	Cluster      string                `json:"cluster"`
	Mode         app.DriftMode         `json:"mode,omitempty"`
	Applications int                   `json:"applications"`
	Objects      int                   `json:"objects"`
	Events       int                   `json:"events,omitempty"`   // of a watch
	Fallback     string                `json:"fallback,omitempty"` // why a cluster in watch mode was only swept
	Suspects     int                   `json:"suspects"`
	Judged       int                   `json:"judged"`
	Healed       int                   `json:"healed"`
	Skipped      int                   `json:"skipped"` // applications at work
	Requests     int                   `json:"requests"`
	Bytes        int64                 `json:"bytes"`
	Milliseconds int64                 `json:"milliseconds"` // of the whole run
	Found        map[drift.Outcome]int `json:"found,omitempty"`
	Fights       []Fight               `json:"fights,omitempty"` // at most fightCap
}

// Fight is a field that another manager sets again and again; it is not healed any more.
type Fight struct {
	Application string `json:"application"`
	Object      string `json:"object"`
	Field       string `json:"field,omitempty"` // none: the object itself, deleted or made again and again
	Manager     string `json:"manager"`
}

const (
	fightCap = 50   // each is a log line; what is fought over in a hundred places has one cause
	textCap  = 1000 // bytes of one field of a log line
)

// of fills in what drift reports.
func (r Report) of(d drift.Report) Report {
	r.Applications, r.Objects, r.Events, r.Suspects = d.Applications, d.Objects, d.Events, d.Suspects
	r.Fallback = manifest.CleanText(d.Fallback, textCap)
	r.Judged, r.Healed, r.Skipped, r.Requests, r.Bytes = d.Judged, d.Healed, d.Skipped, d.Requests, d.Bytes
	for _, f := range d.Findings {
		if r.Found == nil {
			r.Found = map[drift.Outcome]int{}
		}
		r.Found[f.Outcome]++
		r.Fights = append(r.Fights, fights(f)...)
	}
	r.Fights = r.Fights[:min(len(r.Fights), fightCap)]
	return r
}

// fights are the fields of a finding that are fought over; the object itself if no field is.
func fights(f drift.Located) []Fight {
	if f.Fight == "" {
		return nil
	}
	var out []Fight
	for _, c := range f.Fields {
		if c.Fight != "" {
			out = append(out, Fight{f.Application, f.ID.String(), c.Path, c.Fight})
		}
	}
	if out == nil {
		out = []Fight{{f.Application, f.ID.String(), "", f.Fight}}
	}
	return out
}

// log writes a line "fight" at level ERROR for each field that is fought over (the alarm counts them) and one line for
// the run.
func (h Handler) log(ctx context.Context, r Report, err error) {
	for _, f := range r.Fights {
		h.Log.LogAttrs(ctx, slog.LevelError, "fight", slog.String("cluster", text(r.Cluster)), slog.String("application", text(f.Application)),
			slog.String("object", text(f.Object)), slog.String("field", text(f.Field)), slog.String("manager", text(f.Manager)))
	}
	found := 0
	for _, n := range r.Found {
		found += n
	}
	attrs := []slog.Attr{
		slog.String("cluster", text(r.Cluster)), slog.String("mode", string(r.Mode)), slog.Int("applications", r.Applications),
		slog.Int("objects", r.Objects), slog.Int("events", r.Events), slog.Int("suspects", r.Suspects), slog.Int("judged", r.Judged),
		slog.Int("healed", r.Healed), slog.Int("skipped", r.Skipped), slog.Int("findings", found), slog.Int("fights", len(r.Fights)),
		slog.Int("requests", r.Requests), slog.Int64("bytes", r.Bytes), slog.Int64("ms", r.Milliseconds),
	}
	level := slog.LevelInfo
	if r.Fallback != "" {
		attrs, level = append(attrs, slog.String("fallback", text(r.Fallback))), slog.LevelWarn
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", text(err.Error())))
		level = slog.LevelError
	}
	if errors.Is(err, context.Canceled) { // the process is being stopped: the run ended in order
		level = slog.LevelInfo
	}
	h.Log.LogAttrs(ctx, level, "drift", attrs...)
}

// text makes what comes from a cluster or an event fit for a log line.
func text(s string) string {
	return manifest.CleanText(strings.ReplaceAll(s, "\n", "; "), textCap)
}
