// Package revision is a commit, where it comes from, and which of two wins. It asks nobody: what a git host said is
// handed in.
package revision

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// SHA is a full commit id: 40 lower-case hexadecimal digits (64 in a SHA-256 repository).
type SHA string

var shaForm = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// ParseSHA accepts a full commit id in lower case and nothing shorter: an abbreviated id may name another commit later.
func ParseSHA(s string) (SHA, error) {
	if !shaForm.MatchString(s) {
		return "", fmt.Errorf("parse commit id %.80q: want 40 or 64 hexadecimal digits", s)
	}
	return SHA(s), nil
}

// Short is the first seven digits, for people.
func (s SHA) Short() string { return string(s[:min(7, len(s))]) }

// Repository is a git repository in the one form that is compared and stored: host/owner/name, lower case, without
// scheme, user, port 443 or 22, and .git.
type Repository string

var repositoryForm = regexp.MustCompile(`^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._~-]+){2,}$`)

var unshown = regexp.MustCompile(`^([A-Za-z+]+://)?.*@|[?#].*$`)

// shown is a URL as errors may have it: without user, password, query and fragment, any of which may be a credential
// (security X5, CVE-2023-25163).
func shown(s string) string { return fmt.Sprintf("%.200q", unshown.ReplaceAllString(s, "$1")) }

// ParseRepository reads the URL forms that Argo CD accepts: https://host/owner/name, ssh://git@host/owner/name and
// git@host:owner/name, with or without .git (argo-cd util/webhook/webhook.go matches the same forms).
func ParseRepository(s string) (Repository, error) {
	raw := s
	if !strings.Contains(raw, "://") {
		if at, rest, ok := strings.Cut(raw, ":"); ok && strings.Contains(at, "@") { // git@host:owner/name
			raw = "ssh://" + at + "/" + rest
		} else {
			raw = "https://" + raw
		}
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" { // err holds the URL, so it is not told
		return "", fmt.Errorf("parse repository %s: not a URL of a git repository", shown(s))
	}
	switch u.Scheme {
	case "https", "http", "ssh":
	default:
		return "", fmt.Errorf("parse repository %s: scheme %.20q is not https, http or ssh", shown(s), u.Scheme)
	}
	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return "", fmt.Errorf("parse repository %s: no query or fragment belongs to it", shown(s))
	}
	host := u.Host
	if p := u.Port(); p == "443" || p == "22" || p == "80" {
		host = u.Hostname()
	}
	r := strings.ToLower(host + "/" + strings.Trim(u.Path, "/"))
	for strings.HasSuffix(r, ".git") { // no host gives a repository such a name; its form must parse to itself
		r = strings.TrimSuffix(r, ".git")
	}
	if parts := strings.Split(r, "/"); !repositoryForm.MatchString(r) || slices.Contains(parts, ".") || slices.Contains(parts, "..") {
		return "", fmt.Errorf("parse repository %s: want host/owner/name", shown(s))
	}
	return Repository(r), nil
}

// Host is the part before the first slash.
func (r Repository) Host() string { h, _, _ := strings.Cut(string(r), "/"); return h }

// Path is owner/name (or longer, on hosts with nested groups).
func (r Repository) Path() string { _, p, _ := strings.Cut(string(r), "/"); return p }

// Head is the target revision that follows the repository's default branch; an empty targetRevision means it too.
const Head = "HEAD"

// Source is a repository and what is followed in it: a branch, a tag, a full commit id, or Head. Its string is the key
// under which a record keeps the source's revision, so a changed targetRevision is another source and starts anew.
type Source struct {
	Repository Repository `json:"repository"`
	Ref        string     `json:"ref"`
}

func (s Source) String() string { return string(s.Repository) + "@" + s.Ref }

// Move says that a branch has moved, or may have. It is a hint to look and decides nothing: Hint may be a commit that
// is not, or not yet, the tip (reference: rancher/fleet #4845, a tip older than its own webhook).
type Move struct {
	Repository Repository `json:"repository"`
	Ref        string     `json:"ref"`                // a branch or tag without refs/heads/ or refs/tags/, a commit id, or HEAD
	Default    bool       `json:"default,omitempty"`  // Ref is the default branch, so sources that follow HEAD moved too
	Hint       SHA        `json:"hint,omitempty"`     // the commit the webhook named; empty from a sweep
	Delivery   string     `json:"delivery"`           // the webhook's delivery id, or the sweep's
	Received   int64      `json:"received,omitempty"` // Unix milliseconds at which the webhook had it: push to applied is measured from here
}

// Covers reports whether the move concerns a source that follows ref in the move's repository.
func (m Move) Covers(s Source) bool {
	return m.Repository == s.Repository && (m.Ref == s.Ref || m.Default && s.Ref == Head)
}

// Relation is how a tip stands to a base, in the words of GitHub's compare API.
type Relation string

// The four relations. Ahead: the tip has the base among its ancestors.
const (
	Identical Relation = "identical"
	Ahead     Relation = "ahead"
	Behind    Relation = "behind"
	Diverged  Relation = "diverged"
)
