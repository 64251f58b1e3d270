package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"slipway/internal/fault"
	"slipway/internal/revision"
)

const (
	answerWait  = 20 * time.Second // one API call, redirects included
	archiveWait = 10 * time.Minute // one archive to its last byte
	answerCap   = 8 << 20          // an API answer; a comparison with one commit and no files is some kB
	archiveCap  = 2 << 30          // an archive as received; what it expands to is git/bundle's to cap

	asSHA  = "application/vnd.github.sha"
	asJSON = "application/vnd.github+json"
)

// Tip is the commit that ref names on the host now: HEAD is the default branch, a name is a branch, or a tag where no
// branch has that name; "refs/heads/NAME" and "refs/tags/NAME" say which. Annotated tags give their commit.
//
// A full commit id is its own tip, but only if the default branch has it among its ancestors: a host hands out the
// commits of forks, too (security W10). Invalid otherwise. NotFound: no such repository, branch or tag, or it is empty.
func (g *GitHub) Tip(ctx context.Context, r revision.Repository, ref string) (revision.SHA, error) {
	sha, _, err := g.look(ctx, r, ref, "")
	return sha, err
}

// Changed is Tip as one conditional request. etag is what an earlier call returned, or "". changed is false, and sha
// empty, when ref still names the commit that it named then; on GitHub such an answer does not count against the rate
// limit. A full commit id that was once accepted is not asked for again.
func (g *GitHub) Changed(ctx context.Context, r revision.Repository, ref, etag string) (sha revision.SHA, newEtag string, changed bool, err error) {
	sha, newEtag, err = g.look(ctx, r, ref, etag)
	if errors.Is(err, errNotModified) {
		return "", etag, false, nil
	}
	return sha, newEtag, err == nil, err
}

func (g *GitHub) look(ctx context.Context, r revision.Repository, ref, etag string) (revision.SHA, string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	if pin, err := revision.ParseSHA(ref); err == nil {
		return g.pinned(ctx, r, pin, etag)
	}
	places, err := names(r, ref)
	if err != nil {
		return "", "", err
	}
	for _, name := range places {
		var sha revision.SHA
		var tag string
		sha, tag, err = g.commit(ctx, r, name, etag)
		if !fault.Is(err, fault.NotFound) {
			return sha, tag, err
		}
	}
	if len(places) > 1 {
		err = fault.New(fault.NotFound, "read %s of %s: no such branch or tag, or the repository cannot be seen with this token", ref, r)
	}
	return "", "", err
}

// pinned accepts a commit id that the default branch leads to.
func (g *GitHub) pinned(ctx context.Context, r revision.Repository, pin revision.SHA, etag string) (revision.SHA, string, error) {
	own := `"` + string(pin) + `"`
	if etag == own {
		return "", "", errNotModified
	}
	head, _, err := g.commit(ctx, r, revision.Head, "")
	if err != nil {
		return "", "", err
	}
	rel, err := g.Compare(ctx, r, head, pin)
	if err != nil {
		return "", "", err
	}
	if rel != revision.Behind && rel != revision.Identical {
		return "", "", fault.New(fault.Invalid, "read %s of %s: the default branch does not contain this commit", pin.Short(), r)
	}
	return pin, own, nil
}

// commit asks for one name and gets the commit id alone.
func (g *GitHub) commit(ctx context.Context, r revision.Repository, name, etag string) (revision.SHA, string, error) {
	h, base, err := g.place(r)
	if err != nil {
		return "", "", err
	}
	what := fmt.Sprintf("read %s of %s", name, r)
	resp, err := h.get(ctx, what, base+"/commits/"+escape(name), asSHA, etag, answerCap)
	if err != nil {
		return "", "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 100))
	if err != nil {
		return "", "", h.sort(ctx, what, err)
	}
	sha, err := revision.ParseSHA(strings.TrimSpace(string(body)))
	if err != nil {
		return "", "", fault.New(fault.Unavailable, "%s: %s did not answer with a commit id", what, h.Name)
	}
	return sha, resp.Header.Get("ETag"), nil
}

// Compare is how head stands to base: Ahead when head has base among its ancestors.
//
// A host answers 404 when a commit is gone (collected after a force-push) and when two have no ancestor in common. If
// head can still be read, that is Diverged, and the rule for a force-push decides (protocol rule 5); NotFound if not.
func (g *GitHub) Compare(ctx context.Context, r revision.Repository, base, head revision.SHA) (revision.Relation, error) {
	if base == head {
		return revision.Identical, nil
	}
	h, prefix, err := g.place(r)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	what := fmt.Sprintf("compare %s with %s of %s", head.Short(), base.Short(), r)
	// The second page of one commit each: files, which may be megabytes of patches, are on the first page only.
	path := prefix + "/compare/" + url.PathEscape(string(base)) + "..." + url.PathEscape(string(head)) + "?per_page=1&page=2"
	resp, err := h.get(ctx, what, path, asJSON, "", answerCap)
	if fault.Is(err, fault.NotFound) {
		if _, _, gone := g.commit(ctx, r, string(head), ""); gone != nil {
			return "", gone
		}
		return revision.Diverged, nil
	}
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	var got struct {
		Status revision.Relation `json:"status"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		return "", h.sort(ctx, what, err)
	}
	switch got.Status {
	case revision.Identical, revision.Ahead, revision.Behind, revision.Diverged:
		return got.Status, nil
	}
	return "", fault.New(fault.Unavailable, "%s: %s answered with status %.20q", what, h.Name, got.Status)
}

// Archive streams the files of one commit as a gzip tar, as it arrives: nothing is buffered. It is asked for by full
// commit id; that the answer is of this commit is checked by git/bundle (security S5). The caller closes it; an archive
// that is not read to its end within ten minutes, or that is larger than 2 GiB, ends with an error. Archives honour the
// attributes export-ignore and export-subst, and have neither submodules nor LFS objects (security S9).
func (g *GitHub) Archive(ctx context.Context, r revision.Repository, sha revision.SHA) (io.ReadCloser, error) {
	if _, err := revision.ParseSHA(string(sha)); err != nil {
		return nil, fault.Wrap(fault.Invalid, err)
	}
	h, base, err := g.place(r)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("fetch archive of %s at %s", r, sha.Short())
	ctx, cancel := context.WithTimeout(ctx, archiveWait)
	resp, err := h.get(ctx, what, base+"/tarball/"+string(sha), asJSON, "", archiveCap) //nolint:bodyclose // bounded closes it
	if err != nil {
		cancel()
		return nil, err
	}
	return &bounded{ReadCloser: resp.Body, ctx: ctx, end: cancel, what: what}, nil
}
