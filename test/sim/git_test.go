package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/fetch"
	"slipway/internal/revision"
)

// staleTip is how old an answer of the host may be: less than revision.Stale, which is the protocol's promise of it.
const staleTip = 45 * time.Second

// content is what a commit holds: application, then object, then its value.
type content map[string]map[string]string

type commit struct {
	parent  revision.SHA
	content content
}

// tip is one entry of a branch's reflog.
type tip struct {
	sha   revision.SHA
	since time.Time
}

// host is a git host: one graph of commits, and branches that remember where they were.
type host struct {
	commits  map[revision.SHA]commit
	branches map[revision.Source][]tip
}

func newHost() *host {
	return &host{commits: map[revision.SHA]commit{}, branches: map[revision.Source][]tip{}}
}

func (h *host) commit(parent revision.SHA, c content) revision.SHA {
	sha := revision.SHA(fmt.Sprintf("%07x%033x", 0xc00000+len(h.commits)+1, 0))
	h.commits[sha] = commit{parent, c}
	return sha
}

func (h *host) set(b revision.Source, sha revision.SHA) {
	h.branches[b] = append(h.branches[b], tip{sha, time.Now()})
}

func (h *host) tip(b revision.Source) revision.SHA { return h.at(b, 0) }

// at is where a branch was some time ago, or at its beginning.
func (h *host) at(b revision.Source, ago time.Duration) revision.SHA {
	log, then := h.branches[b], time.Now().Add(-ago)
	for i := len(log) - 1; i > 0; i-- {
		if !log[i].since.After(then) {
			return log[i].sha
		}
	}
	return log[0].sha
}

// after reports whether the branch was at sha again, or for the first time, after it was first at other.
func (h *host) after(b revision.Source, sha, other revision.SHA) bool {
	seen := false
	for _, t := range h.branches[b] {
		if seen && t.sha == sha {
			return true
		}
		seen = seen || t.sha == other
	}
	return false
}

func (h *host) ancestor(a, b revision.SHA) bool {
	for ; b != ""; b = h.commits[b].parent {
		if a == b {
			return true
		}
	}
	return false
}

func (h *host) relation(base, head revision.SHA) revision.Relation {
	switch {
	case base == head:
		return revision.Identical
	case h.ancestor(base, head):
		return revision.Ahead
	case h.ancestor(head, base):
		return revision.Behind
	}
	return revision.Diverged
}

// hostClient is the host as a process reaches it.
type hostClient struct{ *process }

func (c hostClient) Tip(ctx context.Context, r revision.Repository, ref string) (sha revision.SHA, err error) {
	b := revision.Source{Repository: r, Ref: ref}
	err = c.call(ctx, call{to: toHost, name: "read tip", about: b.String()}, func(key string) error {
		ago := time.Duration(0)
		if !c.quiet && c.dice.chance(c.temper.stale, key, "stale") {
			ago = c.dice.within(time.Second, staleTip, key, "stale")
		}
		sha = c.git.at(b, ago)
		c.log("%s reads tip %s of %s%s", c.name, sha.Short(), b, either(sha != c.git.tip(b), ", which is stale", ""))
		return nil
	})
	return sha, err
}

func (c hostClient) Changed(ctx context.Context, r revision.Repository, ref, etag string) (revision.SHA, string, bool, error) {
	sha, err := c.Tip(ctx, r, ref)
	if err != nil || etag == string(sha) {
		return "", etag, false, err
	}
	return sha, string(sha), true, nil
}

func (c hostClient) Compare(ctx context.Context, _ revision.Repository, base, head revision.SHA) (rel revision.Relation, err error) {
	err = c.call(ctx, call{to: toHost, name: "compare", about: string(base + head)}, func(string) error { rel = c.git.relation(base, head); return nil })
	return rel, err
}

func (c hostClient) Archive(ctx context.Context, _ revision.Repository, sha revision.SHA) (body io.ReadCloser, err error) {
	err = c.call(ctx, call{to: toHost, name: "fetch archive", about: string(sha)}, func(string) error {
		data, err := json.Marshal(c.git.commits[sha].content)
		body = io.NopCloser(bytes.NewReader(data))
		return err
	})
	return body, err
}

// cutter knows archives as host makes them. A folder without objects is refused for its application alone.
type cutter struct{}

func (cutter) Cut(_ context.Context, archive io.Reader, sha revision.SHA, apps []app.Application) (map[app.Name]fetch.Cut, error) {
	var c content
	if err := json.NewDecoder(archive).Decode(&c); err != nil {
		return nil, err
	}
	out := map[app.Name]fetch.Cut{}
	for _, a := range apps {
		in := app.Inputs{Application: a, Files: map[string][]byte{}}
		for name, value := range c[a.Source.Path] {
			in.Files[a.Source.Path+"/"+name] = []byte(value)
		}
		cut := fetch.Cut{Inputs: in}
		if len(in.Files) == 0 {
			cut = fetch.Cut{Err: fault.New(fault.Invalid, "%s at %s: no manifests", a.Source.Path, sha.Short())}
		}
		out[a.Key()] = cut
	}
	return out, nil
}

// objectName is the object that a file holds.
func objectName(file string) string { return file[strings.LastIndex(file, "/")+1:] }
