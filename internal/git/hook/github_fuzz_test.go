package hook

import (
	"os"
	"strings"
	"testing"

	"slipway/internal/fault"
	"slipway/internal/revision"
)

// Any authentic body is a move with clean names, ignored, or Invalid; never a panic (security W6: CVE-2025-59531, -59537
// and -59538 are three).
func FuzzGitHub(f *testing.F) {
	files, err := os.ReadDir(events)
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		f.Add("push", guid, event(f, file.Name()))
	}
	for _, s := range []string{"", "null", "[]", "0", `""`, `{"ref":null}`, `{"repository":{}}`, `{"ref":"refs/heads/a","repository":{"clone_url":"a@b:c/d"},"after":"` + string(after) + `"}`,
		strings.Repeat(`{"a":`, 40), strings.Repeat("[", 10_000), `{"head_commit":[],"ref":{}}`, "\xff\xfe"} {
		f.Add("push", "", []byte(s))
	}
	h := newHook(f)
	f.Fuzz(func(t *testing.T, name, id string, body []byte) {
		header := signed(name, body)
		header["x-github-delivery"] = id
		d, err := h.GitHub(t.Context(), header, body)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || len(d.Moves) > 0 {
				t.Fatalf("got %+v, %v, want Invalid and no moves", d, err)
			}
			return
		}
		if (len(d.Moves) == 0) != (d.Ignored != "") {
			t.Fatalf("got %d moves, ignored %q: want one or the other", len(d.Moves), d.Ignored)
		}
		for _, m := range d.Moves {
			if _, err := revision.ParseRepository("https://" + string(m.Repository)); err != nil || refName(m.Ref) != nil || m.Delivery == "" {
				t.Fatalf("move %+v", m)
			}
		}
	})
}

func FuzzShallow(f *testing.F) {
	f.Add([]byte(`{"a":"\"[[[","b":[{"c":1}]}`))
	f.Add([]byte(strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)))
	f.Fuzz(func(t *testing.T, b []byte) {
		// What this refuses, a count of all brackets would refuse too.
		if n := strings.Count(string(b), "[") + strings.Count(string(b), "{"); n <= maxDepth && shallow(b) != nil {
			t.Fatalf("%d brackets refused: %q", n, b)
		}
	})
}
