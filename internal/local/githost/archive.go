package githost

import (
	"context"
	"net/http"
	"net/url"
)

// tarball redirects to the archive, as GitHub does, so that a client's redirects are always exercised.
func (h *Host) tarball(w http.ResponseWriter, r *http.Request, rp repo) {
	id := h.named(r.Context(), rp, r.PathValue("ref"))
	if id == "" {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	w.Header().Set("Location", "/codeload/"+url.PathEscape(rp.owner)+"/"+url.PathEscape(rp.name)+"/legacy.tar.gz/"+id)
	w.WriteHeader(http.StatusFound)
}

// archive streams git archive: the top directory is OWNER-NAME-SHORTSHA and the pax comment is the commit id, as on
// GitHub. An archive that breaks off is a connection that breaks off, never an end that looks whole.
func (h *Host) archive(w http.ResponseWriter, r *http.Request, rp repo) {
	id := h.resolve(r.Context(), rp, r.PathValue("sha"))
	if id == "" || id != r.PathValue("sha") {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), transferWait)
	defer cancel()
	prefix := rp.owner + "-" + rp.name + "-" + id[:7] + "/"
	cmd := h.command(ctx, rp.dir, "archive", "--format=tar.gz", "-1", "--prefix="+prefix, id)
	w.Header().Set("Content-Type", "application/x-gzip")
	cmd.Stdout, cmd.Stderr = w, logWriter{h.opts.Log}
	if err := cmd.Run(); err != nil {
		h.opts.Log.Warn("git host: archive broke off", "repository", rp.full(), "error", err)
		panic(http.ErrAbortHandler)
	}
}
