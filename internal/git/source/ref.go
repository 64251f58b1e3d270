package source

import (
	"net/url"
	"strings"

	"slipway/internal/fault"
	"slipway/internal/revision"
)

// names is where ref may be found, as GitHub's "get a commit" wants it: HEAD alone, or the branch and then the tag of
// that name. A branch wins over a tag of the same name, as the webhook's moves are those of branches.
func names(r revision.Repository, ref string) ([]string, error) {
	switch {
	case ref == revision.Head || ref == "":
		return []string{revision.Head}, nil
	case !wellFormed(ref):
		return nil, fault.New(fault.Invalid, "read tip of %s: %.100q is not the name of a branch or tag, nor a full commit id", r, ref)
	}
	if full, ok := strings.CutPrefix(ref, "refs/"); ok {
		if !strings.HasPrefix(full, "heads/") && !strings.HasPrefix(full, "tags/") {
			return nil, fault.New(fault.Invalid, "read tip of %s: %.100q is neither under refs/heads nor under refs/tags", r, ref)
		}
		return []string{full}, nil
	}
	return []string{"heads/" + ref, "tags/" + ref}, nil
}

// wellFormed is git's rule for ref names (git-check-ref-format(1)), and a length.
func wellFormed(ref string) bool {
	if ref == "" || len(ref) > 250 || ref == "@" || strings.HasPrefix(ref, "-") || strings.HasSuffix(ref, ".") ||
		strings.Contains(ref, "..") || strings.Contains(ref, "@{") {
		return false
	}
	for _, c := range ref {
		if c <= ' ' || c == 0x7f || c == '\uFFFD' || strings.ContainsRune(`~^:?*[\`, c) {
			return false
		}
	}
	for part := range strings.SplitSeq(ref, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return true
}

// escape keeps the slashes of a ref and escapes everything else.
func escape(ref string) string {
	parts := strings.Split(ref, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}
