package fetch

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/revision"
)

// look is what was read for one application, and what came of it.
type look struct {
	name        app.Name
	record      record.Record // rule 3: read before the tip
	application app.Application
	declared    string // digest of application
	source      revision.Source

	tip      revision.SHA
	seen     time.Time // after the tip was read
	missing  error     // why the source has no tip, or none that may be read
	decision revision.Decision
	piece    *piece // where the decision is to go
	err      error
}

// goes reports whether the tip is to be wanted. A changed declaration is cut again at the revision that is wanted.
func (l *look) goes() bool {
	if l.err != nil || l.missing != nil || l.piece != nil {
		return false
	}
	switch l.decision.Action {
	case revision.Go, revision.GoForced:
		return true
	case revision.Skip:
		return l.record.Wanted.Declared != l.declared
	case revision.Suspect, revision.Wait:
	}
	return false
}

// read reads, in this order: which applications the move covers, their records, and their declarations. The
// declarations come after the records for the same reason as the tip does: if one is replaced meanwhile, either it is
// seen here, or whoever fetches for the new one changes the record and our write is refused. only narrows it to some.
func (r *run) read(ctx context.Context, only []app.Name) ([]*look, error) {
	covered, err := r.covered(ctx)
	if err != nil {
		return nil, err
	}
	var looks []*look
	for name := range covered {
		if only == nil || slices.Contains(only, name) {
			looks = append(looks, &look{name: name})
		}
	}
	if len(looks) == 0 {
		return nil, nil
	}
	slices.SortFunc(looks, func(a, b *look) int { return cmp.Compare(a.name, b.name) })
	r.each(looks, func(l *look) {
		l.record, l.err = r.Records.Get(ctx, l.name)
		if fault.Is(l.err, fault.NotFound) {
			l.record, l.err = record.Record{Application: string(l.name)}, nil
		}
	})
	if covered, err = r.covered(ctx); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(looks, func(l *look) bool {
		a, still := covered[l.name]
		l.application, l.source, l.declared = a.application, a.source, a.digest
		return !still
	}), nil
}

// declaration is an application as it is declared, its source, and its digest.
type declaration struct {
	application app.Application
	source      revision.Source
	digest      string
}

func declare(a app.Application) (declaration, error) {
	src, err := a.From()
	if err != nil {
		return declaration{}, fmt.Errorf("read source of %s: %w", a.Key(), err)
	}
	data, err := json.Marshal(a)
	if err != nil {
		return declaration{}, fmt.Errorf("digest declaration of %s: %w", a.Key(), err)
	}
	return declaration{application: a, source: src, digest: app.Digest(data)}, nil
}

func (r *run) covered(ctx context.Context) (map[app.Name]declaration, error) {
	using, err := r.Registry.Using(ctx, r.move.Repository)
	if err != nil {
		return nil, err
	}
	out := map[app.Name]declaration{}
	for _, u := range using {
		d, err := declare(u.Application)
		if err != nil {
			return nil, err
		}
		if r.move.Covers(d.source) {
			out[u.Application.Key()] = d
		}
	}
	return out, nil
}

// ask reads the tip of each source once, and how it stands to what each application wants, and decides (rules 4 and 5).
func (r *run) ask(ctx context.Context, looks []*look) {
	type tip struct {
		sha           revision.SHA
		before, after time.Time
		err           error
	}
	tips := map[revision.Source]tip{}
	for _, l := range looks {
		if l.err != nil {
			continue
		}
		t, ok := tips[l.source]
		if !ok {
			t.before = time.Now()
			t.sha, t.err = r.Host.Tip(ctx, l.source.Repository, l.source.Ref)
			t.after = time.Now()
			tips[l.source] = t
		}
		l.tip, l.seen = t.sha, t.after
		switch fault.Of(t.err) {
		case fault.NotFound, fault.Invalid, fault.Denied:
			l.missing = t.err
			continue
		default:
		}
		if l.err = t.err; l.err == nil {
			l.err = r.decide(ctx, l, t.before)
		}
	}
}

// decide compares with wanted, never with done (rule 4). The two reads of a suspect tip are 60 s apart from the end of
// the first to the beginning of the second.
func (r *run) decide(ctx context.Context, l *look, before time.Time) error {
	in := revision.Look{Wanted: l.record.Wanted.Revs[l.source.String()], Tip: l.tip, Now: before, Hint: r.move.Hint, HintAge: revision.HintWait}
	if s, ok := l.record.Wanted.Suspect[l.source.String()]; ok {
		in.SuspectTip, in.SuspectSeen = s.Tip, s.Seen
	}
	if r.move.Received != 0 {
		in.HintAge = max(0, before.Sub(time.UnixMilli(r.move.Received)))
	}
	var err error
	if in.Hint != "" && in.Hint != in.Tip && in.HintAge < revision.HintWait {
		in.HintRelation, err = r.compare(ctx, in.Tip, in.Hint)
		if fault.Is(err, fault.NotFound) { // the host does not have the hint: it decides nothing
			in.HintRelation, err = "", nil
		}
	}
	if err == nil && in.Wanted != "" && in.Wanted != in.Tip {
		in.Relation, err = r.compare(ctx, in.Wanted, in.Tip)
	}
	if err != nil {
		return err
	}
	l.decision = revision.Choose(in)
	if old := l.record.Refused; l.decision.Action != revision.Wait && old.Source == l.source.String() && old.Rev == l.tip && old.Declared == l.declared {
		// It would be refused again, and a suspect keeps its branch's queue for a minute: with each delivery that waits
		// there, what comes after it would wait another.
		l.decision, l.piece = revision.Decision{Action: revision.Skip, Because: l.tip.Short() + " was refused"}, &piece{refused: errors.New(old.Reason)}
	}
	return nil
}

// compare asks once a run how head stands to base: most applications of a repository want the same commit.
func (r *run) compare(ctx context.Context, base, head revision.SHA) (revision.Relation, error) {
	key := [2]revision.SHA{base, head}
	if rel, ok := r.relation[key]; ok {
		return rel, nil
	}
	rel, err := r.Host.Compare(ctx, r.move.Repository, base, head)
	if err == nil {
		r.relation[key] = rel
	}
	return rel, err
}

// each calls do for each look, a few at the same time; an error is kept in the look.
func (r *run) each(looks []*look, do func(*look)) {
	each(r.atOnce, looks, func(l *look) {
		if l.err == nil {
			do(l)
		}
	})
}

func each[T any](atOnce int, all []T, do func(T)) {
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, v := range all {
		g.Go(func() error { do(v); return nil })
	}
	_ = g.Wait() // do keeps its errors
}
