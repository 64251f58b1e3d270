package fetch

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"sync"

	"slipway/internal/fault"
	"slipway/internal/revision"
)

type commit struct {
	parent revision.SHA
	files  map[string]string
}

// git is a git host: one history of commits for all repositories, branches by source, and answers that a test can make
// stale or interrupt.
type git struct {
	mu      sync.Mutex
	commits map[revision.SHA]commit
	refs    map[revision.Source]revision.SHA
	stale   []revision.SHA   // what the next reads of a tip return
	atTip   []func()         // run once the next reads of a tip have their answer
	broken  map[string]error // by the call's name and its argument
	calls   map[string]int
}

func (g *git) answer(call, argument string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls[call]++
	return g.broken[call+" "+argument]
}

func (g *git) ref(r revision.Repository, ref string) (revision.SHA, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, pinned := g.commits[revision.SHA(ref)]; pinned {
		return revision.SHA(ref), nil
	}
	sha, ok := g.refs[revision.Source{Repository: r, Ref: ref}]
	if !ok {
		return "", fault.New(fault.NotFound, "read %s of %s: there is none", ref, r)
	}
	return sha, nil
}

func (g *git) Tip(_ context.Context, r revision.Repository, ref string) (revision.SHA, error) {
	if err := g.answer("tip", ref); err != nil {
		return "", err
	}
	sha, err := g.ref(r, ref)
	g.mu.Lock()
	if len(g.stale) > 0 {
		sha, g.stale = g.stale[0], g.stale[1:]
	}
	var then func()
	if len(g.atTip) > 0 {
		then, g.atTip = g.atTip[0], g.atTip[1:]
	}
	g.mu.Unlock()
	if then != nil {
		then()
	}
	return sha, err
}

func (g *git) ancestor(a, b revision.SHA) bool {
	for ; b != ""; b = g.commits[b].parent {
		if a == b {
			return true
		}
	}
	return false
}

func (g *git) Compare(_ context.Context, r revision.Repository, base, head revision.SHA) (revision.Relation, error) {
	if err := g.answer("compare", string(base)); err != nil {
		return "", err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	_, known := g.commits[head]
	switch {
	case !known:
		return "", fault.New(fault.NotFound, "compare with %s of %s: there is no such commit", head.Short(), r)
	case base == head:
		return revision.Identical, nil
	case g.ancestor(base, head):
		return revision.Ahead, nil
	case g.ancestor(head, base):
		return revision.Behind, nil
	}
	return revision.Diverged, nil
}

func (g *git) Archive(_ context.Context, _ revision.Repository, sha revision.SHA) (io.ReadCloser, error) {
	if err := g.answer("archive", string(sha)); err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	data, err := json.Marshal(g.commits[sha].files)
	return io.NopCloser(bytes.NewReader(data)), err
}

func (g *git) Changed(_ context.Context, r revision.Repository, ref, etag string) (revision.SHA, string, bool, error) {
	if err := g.answer("changed", string(r)+"@"+ref); err != nil {
		return "", "", false, err
	}
	sha, err := g.ref(r, ref)
	if err == nil && etag == "etag of "+string(sha) {
		g.mu.Lock()
		g.calls["not modified"]++
		g.mu.Unlock()
		return "", etag, false, nil
	}
	return sha, "etag of " + string(sha), err == nil, err
}
