// Package source asks a git host what a branch points to, how two commits stand to each other, and for the files of one
// commit. It speaks the host's API and no git protocol (security S8), and reaches only hosts that the configuration
// names (security S6).
package source

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-github/v60/github"

	"slipway/internal/fault"
	"slipway/internal/revision"
	"slipway/internal/secret"
)

// Token gives the credential for one request. It is asked before every request, so a token of an hour's life may expire
// in the middle of a run, and once more after a 401 (faults 34). It must be safe for concurrent use.
type Token func(ctx context.Context) (secret.Value, error)

// Host is one git host from the configuration. A repository on any other host is refused.
type Host struct {
	Name      string   // as repository URLs name it: "github.com"
	API       string   // base of the REST API: "https://api.github.com/", "https://ghe.example.com/api/v3/"
	Redirects []string // further hosts that the API may redirect to: "codeload.github.com"
	Plain     bool     // plain http is allowed: a host on this machine
	Private   bool     // loopback and private addresses are allowed: this machine, a company's own network
	Token     Token    // nil asks anonymously
}

// GitHubCom is github.com. Archives come from codeload.github.com, by a redirect that carries its own credential.
func GitHubCom(token Token) Host {
	return Host{Name: "github.com", API: "https://api.github.com/", Redirects: []string{"codeload.github.com"}, Token: token}
}

// GitHub reads from hosts that speak GitHub's REST API: github.com, GitHub Enterprise, and Slipway's own local host. It
// is safe for concurrent use and keeps connections open.
type GitHub struct {
	hosts map[string]*host
}

type host struct {
	Host
	client *github.Client
}

// New refuses a configuration that it could not keep to: an API base that is not https on a host that is not plain, a
// base with a user or query, the same name twice.
func New(hosts ...Host) (*GitHub, error) {
	g := &GitHub{hosts: map[string]*host{}}
	for _, c := range hosts {
		name := strings.ToLower(c.Name)
		base, err := url.Parse(c.API)
		switch {
		case name == "":
			return nil, fault.New(fault.Invalid, "configure git host: it has no name")
		case g.hosts[name] != nil:
			return nil, fault.New(fault.Invalid, "configure git host %s: named twice", name)
		case err != nil, base.Host == "", base.User != nil, base.RawQuery != "", base.Fragment != "":
			return nil, fault.New(fault.Invalid, "configure git host %s: the API must be a URL without user, query and fragment", name)
		case base.Scheme != "https" && (base.Scheme != "http" || !c.Plain):
			return nil, fault.New(fault.Invalid, "configure git host %s: the API must be https, not %q", name, base.Scheme)
		}
		if !strings.HasSuffix(base.Path, "/") {
			base.Path += "/"
		}
		client := github.NewClient(httpClient(c, base))
		client.BaseURL = base
		client.UserAgent = "slipway"
		g.hosts[name] = &host{Host: c, client: client}
	}
	return g, nil
}

// place finds the host of a repository and its owner/name as part of a URL.
func (g *GitHub) place(r revision.Repository) (*host, string, error) {
	h := g.hosts[r.Host()]
	if h == nil {
		return nil, "", fault.New(fault.Invalid, "read repository %s: host %s is not configured", r, r.Host())
	}
	owner, name, ok := strings.Cut(r.Path(), "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") || owner == ".." || name == ".." || owner == "." || name == "." {
		return nil, "", fault.New(fault.Invalid, "read repository %s: want host/owner/name", r)
	}
	return h, "repos/" + url.PathEscape(owner) + "/" + url.PathEscape(name), nil
}

// get makes one request and leaves the body to the caller. An error has its kind already and holds no URL, so
// neither a token nor the credential in a redirect's query (security X5, CVE-2023-25163).
func (h *host) get(ctx context.Context, what, path, accept, etag string, limit int64) (*http.Response, error) {
	req, err := h.client.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s: not part of a URL", what)
	}
	req.Header.Set("Accept", accept)
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	resp, err := h.client.BareDo(context.WithValue(ctx, capKey{}, limit), req) //nolint:bodyclose // the caller closes it
	if err != nil {
		return nil, h.sort(ctx, what, err)
	}
	return resp.Response, nil
}
