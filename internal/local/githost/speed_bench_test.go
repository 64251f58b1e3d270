package githost_test

import (
	"strings"
	"testing"

	"slipway/internal/app"
	"slipway/internal/git/bundle"
	"slipway/internal/git/source"
	"slipway/internal/local/githost"
	"slipway/internal/revision"
)

// BenchmarkFetch is what one push costs on the side of git: the tip, its relation to the commit before, and the inputs
// of one application of ten files.
func BenchmarkFetch(b *testing.B) {
	url, _, _ := serve(b, githost.Options{})
	g, err := source.New(source.Host{Name: "github.com", API: url + "/api/v3/", Plain: true, Private: true})
	if err != nil {
		b.Fatal(err)
	}
	w := clone(b, url+"/git/o/r.git")
	files := map[string]string{}
	for i := range 10 {
		files["apps/a/"+strings.Repeat("x", i+1)+".yaml"] = "x: 1\n"
	}
	first := w.commit(files)
	w.commit(map[string]string{"apps/a/x.yaml": "x: 2\n"})
	w.git("push", "--quiet", "origin", "main")
	for b.Loop() {
		tip, err := g.Tip(b.Context(), configRepo, "main")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := g.Compare(b.Context(), configRepo, revision.SHA(first), tip); err != nil {
			b.Fatal(err)
		}
		body, err := g.Archive(b.Context(), configRepo, tip)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := bundle.Cut(b.Context(), body, tip, []app.Application{in("apps/a")}, bundle.Limits{}); err != nil {
			b.Fatal(err)
		}
		_ = body.Close()
	}
}
