package bundle

import (
	"bytes"
	"fmt"
	"testing"

	"slipway/internal/app"
)

// BenchmarkCut is a repository of 50 MB with 100 applications of 50 kB each: what is allocated is what is kept.
func BenchmarkCut(b *testing.B) {
	entries := []entry{global(string(sha)), {name: top + "/"}}
	var apps []app.Application
	for i := range 100 {
		dir := fmt.Sprintf("apps/a%d", i)
		apps = append(apps, at(fmt.Sprintf("a%d", i), dir))
		for j := range 10 {
			entries = append(entries, file(fmt.Sprintf("%s/templates/%d.yaml", dir, j), noise(5000)))
		}
	}
	for i := range 450 {
		entries = append(entries, file(fmt.Sprintf("src/%d.bin", i), noise(100_000)))
	}
	archive := zip(b, packTar(b, entries...))
	b.SetBytes(int64(len(archive)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Cut(b.Context(), bytes.NewReader(archive), sha, apps, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}
