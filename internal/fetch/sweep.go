package fetch

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/revision"
)

// Sweep finds what no webhook told: it compares each branch tip in use with what is wanted and queues a move where they
// differ (rule 16 a), and wakes what is wanted and not done (16 b). One conditional request a source. It decides
// nothing, so two sweeps at once, or one beside a fetch, cost time only.
//
// A repository that cannot be read does not keep the others from being swept; the error joins what went wrong.
func (f *Fetch) Sweep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	s := &sweep{Fetch: f, at: time.Now(), limited: map[string]error{}}
	if err := s.read(ctx); err != nil {
		return err
	}
	each(f.atOnce, s.wakes, func(d declaration) { s.fail(f.Queue.Wake(ctx, d.application.Key())) })
	each(f.atOnce, s.sources, func(src revision.Source) { s.fail(s.look(ctx, src)) })
	return errors.Join(s.failed...)
}

type sweep struct {
	*Fetch
	at      time.Time
	records map[string]record.Record
	using   map[revision.Source][]declaration
	sources []revision.Source
	wakes   []declaration

	mu      sync.Mutex
	failed  []error
	limited map[string]error // hosts that asked to be left alone
}

func (s *sweep) fail(err error) {
	if err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = append(s.failed, err)
}

func (s *sweep) read(ctx context.Context) error {
	recs, err := s.Records.List(ctx)
	if err != nil {
		return err
	}
	s.records = map[string]record.Record{}
	for _, r := range recs {
		s.records[r.Application] = r
	}
	all, err := s.Registry.All(ctx)
	if err != nil {
		return err
	}
	s.using = map[revision.Source][]declaration{}
	for _, r := range all {
		d, err := declare(r.Application)
		if err != nil {
			s.fail(err)
			continue
		}
		if s.using[d.source] == nil {
			s.sources = append(s.sources, d.source)
		}
		s.using[d.source] = append(s.using[d.source], d)
		if due(s.records[string(r.Application.Key())], d) {
			s.wakes = append(s.wakes, d)
		}
	}
	slices.SortFunc(s.sources, func(a, b revision.Source) int { return cmp.Compare(a.String(), b.String()) })
	return nil
}

// look compares one source's tip with what its applications want.
func (s *sweep) look(ctx context.Context, src revision.Source) error {
	host := src.Repository.Host()
	s.mu.Lock()
	limited := s.limited[host]
	s.mu.Unlock()
	if limited != nil { // its rate limit is reached (faults C.6, 35): asking on makes it worse
		return fmt.Errorf("sweep %s: left out: %w", src, limited)
	}
	tip, err := s.tip(ctx, src)
	if _, later := fault.After(err); later {
		s.mu.Lock()
		s.limited[host] = err
		s.mu.Unlock()
	}
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
		tip, err = "", nil // a move notes it in the records
	}
	if err != nil {
		return fmt.Errorf("sweep %s: %w", src, err)
	}
	for _, d := range s.using[src] {
		if settled(s.records[string(d.application.Key())], d, tip) {
			continue
		}
		// The delivery names the source, because queues drop a second message of the same delivery in any group.
		m := revision.Move{Repository: src.Repository, Ref: src.Ref, Delivery: fmt.Sprintf("sweep-%d-%s", s.at.UnixNano(), src), Received: s.at.UnixMilli()}
		if err := s.Queue.Move(ctx, m); err != nil {
			return fmt.Errorf("queue a move of %s: %w", src, err)
		}
		return nil // one move covers them all
	}
	return nil
}

// remembered is a source's tip as it was last seen, and the etag under which the host says that it is still so.
type remembered struct {
	Etag string       `json:"etag"`
	Tip  revision.SHA `json:"tip"`
}

// tip asks the host unless it says that nothing has changed; then the remembered tip is the answer, to be compared as
// any other: that it was seen does not mean that it was fetched.
func (s *sweep) tip(ctx context.Context, src revision.Source) (revision.SHA, error) {
	key := "tip/" + src.String()
	text, err := s.Notes.Get(ctx, key)
	if err != nil {
		return "", err
	}
	var last remembered
	if json.Unmarshal([]byte(text), &last) != nil || last.Tip == "" {
		last = remembered{} // none, or unreadable: asked without a condition
	}
	tip, etag, changed, err := s.Tips.Changed(ctx, src.Repository, src.Ref, last.Etag)
	if err != nil {
		return "", err
	}
	if !changed {
		if last.Tip == "" {
			return "", fault.New(fault.Unavailable, "read tip: the host says not modified, though nothing was remembered")
		}
		return last.Tip, nil
	}
	data, err := json.Marshal(remembered{Etag: etag, Tip: tip})
	if err != nil {
		return "", fmt.Errorf("note tip: %w", err)
	}
	s.fail(s.Notes.Set(ctx, key, string(data))) // the tip is good all the same
	return tip, nil
}
