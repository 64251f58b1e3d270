package local

import (
	"context"
	"io"

	"slipway/internal/app"
	"slipway/internal/fetch"
	"slipway/internal/git/bundle"
	"slipway/internal/git/source"
	"slipway/internal/revision"
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

// configure makes the client of the git hosts. Without a configuration every repository on github.com is one of the
// local git host, so that the YAML people have works as it is.
func (l *Local) configure(o Options, url string) (*source.GitHub, error) {
	own := source.Host{Name: "github.com", API: url + "/api/v3/", Plain: true, Private: true}
	return source.New(own)
}
