package local

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"slipway/internal/app"
	"slipway/internal/config/file"
	"slipway/internal/fault"
	"slipway/internal/fetch"
	"slipway/internal/git/bundle"
	"slipway/internal/git/source"
	"slipway/internal/revision"
	"slipway/internal/secret"
)

// cutter is bundle.Cut as fetch asks for it.
type cutter struct{}

// Cut implements fetch.Cutter.
func (cutter) Cut(ctx context.Context, archive io.Reader, sha revision.SHA, apps []app.Application) (map[app.Name]fetch.Cut, error) {
	parts, err := bundle.Cut(ctx, archive, sha, apps, bundle.Limits{})
	if err != nil {
		return nil, err
	}
	out := make(map[app.Name]fetch.Cut, len(parts))
	for name, p := range parts {
		out[name] = fetch.Cut{Inputs: p.Inputs, Err: p.Err}
	}
	return out, nil
}

// publicName is the host that people's YAML names. Without a configuration its repositories are those of the git host in
// this process, so that the YAML works as it is.
const publicName = "github.com"

// ownHost is the name that repositories of the git host in this process have. Webhooks name repositories, so it is one.
func ownHost(f file.File) (string, error) {
	var own []string
	for name, h := range f.Hosts {
		if h.API == file.Local {
			own = append(own, name)
		}
	}
	slices.Sort(own)
	_, public := f.Hosts[publicName]
	switch {
	case len(own) > 1:
		return "", fault.New(fault.Invalid, "read configuration: hosts %s are all %q: one can be", strings.Join(own, ", "), file.Local)
	case len(own) == 1:
		return own[0], nil
	case !public:
		return publicName, nil
	}
	return "", nil
}

// sources makes the client of the git hosts: the one in this process, and those that the configuration names.
func sources(f file.File, own, url string) (*source.GitHub, error) {
	var hosts []source.Host
	if own != "" {
		hosts = append(hosts, source.Host{Name: own, API: url + "/api/v3/", Plain: true, Private: true})
	}
	for _, name := range slices.Sorted(maps.Keys(f.Hosts)) {
		h := f.Hosts[name]
		if h.API == file.Local {
			continue
		}
		var token source.Token
		if h.TokenFile != "" {
			if _, err := file.ReadSecret(h.TokenFile); err != nil {
				return nil, fmt.Errorf("configure git host %s: %w", name, err)
			}
			// Read for each request: a token is replaced while we run (faults C.6, 34).
			token = func(context.Context) (secret.Value, error) { return file.ReadSecret(h.TokenFile) }
		}
		if name == publicName {
			s := source.GitHubCom(token)
			s.API = h.API
			hosts = append(hosts, s)
			continue
		}
		// Whoever runs this names the host in a file of their own, so it may be on this machine or in a private network.
		hosts = append(hosts, source.Host{Name: name, API: h.API, Plain: strings.HasPrefix(h.API, "http:"), Private: true, Token: token})
	}
	return source.New(hosts...)
}

// configured reads the file of further clusters and hosts; without one there are none.
func configured(path string) (file.File, error) {
	if path == "" {
		return file.File{}, nil
	}
	f, err := file.Read(path)
	if err != nil {
		return f, err
	}
	for _, c := range f.Clusters {
		if c.Kubeconfig == "" {
			return f, fault.New(fault.Invalid, "%s: cluster %s: kubeconfig is missing", path, c.Name)
		}
	}
	return f, nil
}
