package githost

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// api finds the repository, which must exist: reading the API creates nothing.
func (h *Host) api(serve func(http.ResponseWriter, *http.Request, repo)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rp, ok := h.repo(r)
		if !ok || !rp.exists() {
			refuse(w, http.StatusNotFound, "Not Found")
			return
		}
		serve(w, r, rp)
	}
}

func (h *Host) repository(w http.ResponseWriter, _ *http.Request, rp repo) {
	answer(w, h.describe(rp))
}

// commit answers with the commit id alone where the request asks for that, and with 304 where it knows it already.
func (h *Host) commit(w http.ResponseWriter, r *http.Request, rp repo) {
	name := r.PathValue("ref")
	id := h.resolve(r.Context(), rp, name)
	if id == "" {
		h.unknown(w, r, rp, name)
		return
	}
	tag := `"` + id + `"`
	w.Header().Set("ETag", tag)
	if strings.TrimPrefix(r.Header.Get("If-None-Match"), "W/") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if !strings.Contains(r.Header.Get("Accept"), "sha") {
		answer(w, object{"sha": id})
		return
	}
	w.Header().Set("Content-Type", "application/vnd.github.sha; charset=utf-8")
	_, _ = w.Write([]byte(id)) //nolint:gosec // hexadecimal digits
}

// unknown is what GitHub says of a name that it does not find: 409 for an empty repository, else 422.
func (h *Host) unknown(w http.ResponseWriter, r *http.Request, rp repo, name string) {
	if refs, err := h.refs(r.Context(), rp); err == nil && len(refs) == 0 {
		refuse(w, http.StatusConflict, "Git Repository is empty.")
		return
	}
	refuse(w, http.StatusUnprocessableEntity, fmt.Sprintf("No commit found for SHA: %.100s", name))
}

// compare answers 404 for a commit that is not there and for two without an ancestor in common, as GitHub does.
func (h *Host) compare(w http.ResponseWriter, r *http.Request, rp repo) {
	from, to, ok := strings.Cut(r.PathValue("basehead"), "...")
	base, head := "", ""
	if ok {
		base, head = h.named(r.Context(), rp, from), h.named(r.Context(), rp, to)
	}
	if base == "" || head == "" {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	fork, err := h.run(r.Context(), rp.dir, "merge-base", "--end-of-options", base, head)
	if err != nil {
		refuse(w, http.StatusNotFound, fmt.Sprintf("No common ancestor between %s and %s.", from, to))
		return
	}
	counts, err := h.run(r.Context(), rp.dir, "rev-list", "--left-right", "--count", "--end-of-options", base+"..."+head)
	left, right, ok := strings.Cut(counts, "\t")
	behind, err1 := strconv.Atoi(left)
	ahead, err2 := strconv.Atoi(right)
	if err != nil || !ok || err1 != nil || err2 != nil {
		h.opts.Log.Error("git host: cannot compare", "repository", rp.full(), "error", err)
		refuse(w, http.StatusInternalServerError, "cannot compare")
		return
	}
	status := "diverged"
	switch {
	case base == head:
		status = "identical"
	case behind == 0:
		status = "ahead"
	case ahead == 0:
		status = "behind"
	}
	answer(w, object{
		"status": status, "ahead_by": ahead, "behind_by": behind, "total_commits": ahead,
		"base_commit": object{"sha": base}, "merge_base_commit": object{"sha": fork}, "commits": []object{}, "files": []object{},
	})
}

// ping queues a ping event, as GitHub does on POST /hooks/{id}/pings.
func (h *Host) ping(w http.ResponseWriter, _ *http.Request, rp repo) {
	h.enqueue(h.event("ping", rp, "", "", object{
		"zen": "Keep it logically awesome.", "hook_id": 1, "hook": object{"type": "Repository", "id": 1, "active": true, "events": []string{"push"}},
		"repository": h.describe(rp),
	}))
	w.WriteHeader(http.StatusNoContent)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, code int, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(object{"message": message, "documentation_url": "https://docs.github.com/rest"})
}
