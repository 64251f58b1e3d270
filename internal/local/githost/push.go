package githost

import (
	"context"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
)

// serveGit hands a request to git http-backend. What a push has changed is found by comparing the refs before and
// after, under the repository's lock, and queued for delivery before the push returns to its user.
func (h *Host) serveGit(w http.ResponseWriter, r *http.Request) {
	rp, ok := h.repo(r)
	if !ok {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	l := h.lock(rp)
	if !rp.exists() {
		l.Lock()
		err := h.create(r.Context(), rp)
		l.Unlock()
		if err != nil {
			h.opts.Log.Error("git host", "error", err)
			refuse(w, http.StatusInternalServerError, "cannot create the repository")
			return
		}
	}
	in := r.Clone(r.Context())
	// net/http has decoded the chunks already. CGI without a length reads to the end; net/http/cgi only looks at this.
	in.TransferEncoding = nil
	verb := path.Base(r.URL.Path)
	if verb == "refs" {
		verb = "info/refs"
	}
	in.URL.Path = "/" + rp.full() + ".git/" + verb
	if verb != "git-receive-pack" {
		h.backend.ServeHTTP(w, in)
		return
	}
	l.Lock()
	defer l.Unlock()
	before, err := h.refs(r.Context(), rp)
	if err != nil {
		h.opts.Log.Error("git host", "error", err)
		refuse(w, http.StatusInternalServerError, "cannot read the repository")
		return
	}
	h.backend.ServeHTTP(w, in)
	ctx := context.WithoutCancel(r.Context()) // the client may be gone; what it pushed is there
	after, err := h.refs(ctx, rp)
	if err != nil {
		h.opts.Log.Error("git host: push is not announced", "repository", rp.full(), "error", err)
		return
	}
	h.settleHead(ctx, rp, after)
	h.announce(ctx, rp, before, after)
}

// settleHead makes the first branch that is pushed to an empty repository its default branch, as GitHub does.
func (h *Host) settleHead(ctx context.Context, r repo, refs map[string]string) {
	if refs["refs/heads/"+h.defaultBranch(r)] != "" {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		if strings.HasPrefix(name, "refs/heads/") {
			if _, err := h.run(ctx, r.dir, "symbolic-ref", "--end-of-options", "HEAD", name); err != nil {
				h.opts.Log.Error("git host", "error", err)
			}
			return
		}
	}
}

// announce queues one push event for each ref that moved.
func (h *Host) announce(ctx context.Context, r repo, before, after map[string]string) {
	all := map[string]bool{}
	for _, refs := range []map[string]string{before, after} {
		for name := range refs {
			all[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if before[name] != after[name] {
			h.enqueue(h.push(ctx, r, name, before[name], after[name]))
		}
	}
}
