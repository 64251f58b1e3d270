package fetch

import (
	"context"
	"errors"
	"fmt"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/revision"
)

// cutKey is what a piece depends on, besides the archive's bytes, which the commit id names.
type cutKey struct {
	tip      revision.SHA
	declared string
	name     app.Name
}

// piece is an application's inputs as they are stored, or why they are refused for good.
type piece struct {
	digest  string
	refused error
}

// cut fetches one archive for all applications that go to the same commit, and stores each one's inputs. When a record
// has changed meanwhile and the tip has not, the pieces are still good.
func (r *run) cut(ctx context.Context, looks []*look) {
	need := map[revision.SHA][]*look{}
	var tips []revision.SHA // in order
	for _, l := range looks {
		if !l.goes() {
			continue
		}
		if p, ok := r.cuts[l.key()]; ok {
			l.piece = &p
			continue
		}
		if need[l.tip] == nil {
			tips = append(tips, l.tip)
		}
		need[l.tip] = append(need[l.tip], l)
	}
	for _, tip := range tips {
		r.cutOne(ctx, tip, need[tip])
	}
}

func (l *look) key() cutKey { return cutKey{l.tip, l.declared, l.name} }

func (r *run) cutOne(ctx context.Context, tip revision.SHA, looks []*look) {
	apps := make([]app.Application, len(looks))
	for i, l := range looks {
		apps[i] = l.application
	}
	cuts, err := r.archive(ctx, tip, apps)
	if fault.Is(err, fault.Invalid) { // a hostile archive stays one
		for _, l := range looks {
			l.piece = &piece{refused: err}
			r.cuts[l.key()] = *l.piece
		}
		return
	}
	r.each(looks, func(l *look) {
		c, ok := cuts[l.name]
		switch {
		case err != nil:
			l.err = err
		case !ok:
			l.err = errors.New("the archive was cut without it")
		case fault.Is(c.Err, fault.Invalid):
			l.piece = &piece{refused: c.Err}
		case c.Err != nil:
			l.err = c.Err
		default:
			l.piece, l.err = r.store(ctx, c.Inputs)
		}
	})
	for _, l := range looks {
		if l.piece != nil {
			r.cuts[l.key()] = *l.piece
		}
	}
}

func (r *run) archive(ctx context.Context, tip revision.SHA, apps []app.Application) (cuts map[app.Name]Cut, err error) {
	ctx, cancel := context.WithTimeout(ctx, archiveTime)
	defer cancel()
	body, err := r.Host.Archive(ctx, r.move.Repository, tip)
	if err != nil {
		return nil, err
	}
	cuts, err = r.Cutter.Cut(ctx, body, tip, apps)
	_ = body.Close() // read to its end, or given up with an error
	if err != nil {
		return nil, fmt.Errorf("cut %s at %s: %w", r.move.Repository, tip.Short(), err)
	}
	return cuts, nil
}

func (r *run) store(ctx context.Context, in app.Inputs) (*piece, error) {
	data, err := in.Encode()
	if err != nil {
		return nil, err
	}
	digest, err := r.Blobs.Put(ctx, data)
	if err != nil {
		return nil, err
	}
	return &piece{digest: digest}, nil
}
