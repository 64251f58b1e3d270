package hook

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // to see it refused
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/fault"
	"slipway/internal/revision"
	"slipway/internal/secret"
)

const (
	events = "../../../events/github/"
	text   = "slipway-example-secret-slipway-example"
	guid   = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
	before = revision.SHA("6113728f27ae82c7b1a177c8d03f9e96e0adf246")
	after  = revision.SHA("0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c")
)

func newHook(t testing.TB) *Hook {
	t.Helper()
	h, err := New(t.Context(), Static(secret.Key{ID: "current", Value: secret.Of(text)}), 0)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func event(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(events, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sign(h func() hash.Hash, key string, body []byte) string {
	m := hmac.New(h, []byte(key))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

// signed are the headers of an authentic delivery.
func signed(event string, body []byte) map[string]string {
	return map[string]string{
		"x-github-event": event, "x-github-delivery": guid, "content-type": "application/json",
		"x-hub-signature-256": "sha256=" + sign(sha256.New, text, body),
	}
}

func TestEachEventMovesWhatItSays(t *testing.T) {
	const repo = revision.Repository("github.com/myorg/k8s-config")
	for _, c := range []struct {
		file, event string
		want        *revision.Move
		ignored     string
	}{
		{"push.json", "push", &revision.Move{Repository: repo, Ref: "main", Default: true, Hint: after, Delivery: guid}, ""},
		{"push-branch.json", "push", &revision.Move{Repository: repo, Ref: "feature/faster-checkout", Hint: after, Delivery: guid}, ""},
		{"push-branch-created.json", "push", &revision.Move{Repository: repo, Ref: "release-2026.11", Hint: after, Delivery: guid}, ""},
		{"push-forced.json", "push", &revision.Move{Repository: repo, Ref: "main", Default: true, Hint: before, Delivery: guid}, ""},
		{"push-tag.json", "push", &revision.Move{Repository: repo, Ref: "v1.4.2", Hint: after, Delivery: guid}, ""},
		{"push-branch-deleted.json", "push", nil, "branch or tag was deleted: what it deployed stays"},
		{"push-tag-deleted.json", "push", nil, "branch or tag was deleted: what it deployed stays"},
		{"ping.json", "ping", nil, "event is not a push"},
		{"pull-request.json", "pull_request", nil, "event is not a push"},
		{"push.json", "check_run", nil, "event is not a push"},
	} {
		t.Run(c.file+" as "+c.event, func(t *testing.T) {
			body := event(t, c.file)
			want := Delivery{ID: guid, Event: c.event, KeyID: "current", Ignored: c.ignored}
			if c.want != nil {
				want.Moves = []revision.Move{*c.want}
			}
			got, err := newHook(t).GitHub(t.Context(), signed(c.event, body), body)
			if d := cmp.Diff(want, got); err != nil || d != "" {
				t.Errorf("error %v, -want +got:\n%s", err, d)
			}
		})
	}
}

func TestOnlyAnExactSHA256SignatureIsAuthentic(t *testing.T) { // security W3
	body := event(t, "push.json")
	right := sign(sha256.New, text, body)
	for name, s := range map[string]string{
		"missing":                   "",
		"without prefix":            right,
		"prefix only":               "sha256=",
		"upper-case prefix":         "SHA256=" + right,
		"SHA-1":                     "sha1=" + sign(sha1.New, text, body),
		"SHA-1 by another name":     "sha256=" + sign(sha1.New, text, body),
		"SHA-512's length":          "sha256=" + right + right,
		"a digit short":             "sha256=" + right[:63],
		"a digit long":              "sha256=" + right + "0",
		"not hexadecimal":           "sha256=" + strings.Repeat("g", 64),
		"a space before":            " sha256=" + right,
		"two signatures":            "sha256=" + right + ", sha256=" + right,
		"a signature after another": "sha256=" + strings.Repeat("0", 64) + ",sha256=" + right,
		"zeros":                     "sha256=" + strings.Repeat("0", 64),
		"with another secret":       "sha256=" + sign(sha256.New, text+"x", body),
		"with an empty secret":      "sha256=" + sign(sha256.New, "", body),
		"another last digit":        "sha256=" + right[:63] + map[bool]string{true: "1", false: "0"}[right[63] == '0'],
	} {
		t.Run(name, func(t *testing.T) {
			header := signed("push", body)
			header["x-hub-signature-256"] = s
			header["x-hub-signature"] = "sha1=" + sign(sha1.New, text, body)
			got, err := newHook(t).GitHub(t.Context(), header, body)
			if !fault.Is(err, fault.Denied) || got.KeyID != "" || len(got.Moves) > 0 {
				t.Errorf("got %+v, %v, want Denied and nothing", got, err)
			}
		})
	}
}

func TestTheSignatureIsOverTheExactBytes(t *testing.T) { // security W2
	body := event(t, "push.json")
	header := signed("push", body)
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	changed := append([]byte{}, body...)
	changed[len(changed)/2]++
	for name, b := range map[string][]byte{
		"serialised again": again, "one byte changed": changed, "a byte more": append(append([]byte{}, body...), ' '), "a byte less": body[:len(body)-1], "empty": nil,
	} {
		if got, err := newHook(t).GitHub(t.Context(), header, b); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: got %+v, %v, want Denied", name, got, err)
		}
	}
}

func TestTheSignatureIsGitHubs(t *testing.T) {
	// GitHub's documentation, "Validating webhook deliveries", testing the validation.
	mac, err := hex.DecodeString("757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
	if err != nil {
		t.Fatal(err)
	}
	var k keyring
	k.current.Store(&[]secret.Key{{ID: "docs", Value: secret.Of("It's a Secret to Everybody")}})
	if id := k.match(mac, []byte("Hello, World!")); id != "docs" {
		t.Errorf("matched %q", id)
	}
}

func TestNamesFromAPayloadAreOnlyNames(t *testing.T) { // security W8; CVE-2026-44937 put one into a regular expression
	fill := func(field, value string) []byte {
		var v map[string]any
		if err := json.Unmarshal(event(t, "push.json"), &v); err != nil {
			t.Fatal(err)
		}
		if field == "clone_url" {
			if r, ok := v["repository"].(map[string]any); ok {
				r["clone_url"] = value
			}
		} else {
			v[field] = value
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range []struct{ field, value string }{
		{"clone_url", ".*"}, {"clone_url", "https://github.com/.*/.*"}, {"clone_url", "../.."}, {"clone_url", "https://github.com/../.."},
		{"clone_url", "https://github.com/a/b\nc"}, {"clone_url", "https://github.com/a/" + strings.Repeat("b", 10_000)},
		{"clone_url", "file:///etc/passwd"}, {"clone_url", "https://github.com/a/b;id"}, {"clone_url", "ext::sh -c id"},
		{"ref", "refs/heads/../../x"}, {"ref", "refs/heads/a b"}, {"ref", "refs/heads/a\nb"}, {"ref", "refs/heads/"},
		{"ref", "refs/heads/" + strings.Repeat("b", 10_000)}, {"ref", "refs/heads/a?b=c"}, {"ref", "refs/heads/.hidden"}, {"ref", "refs/heads/a.lock"},
		{"ref", "refs/heads/a@{1}"}, {"ref", "refs/heads/-\x1b[2J"}, {"after", "main"}, {"after", "0d1a26e"}, {"after", ""}, {"after", strings.ToUpper(string(after))},
	} {
		body := fill(c.field, c.value)
		got, err := newHook(t).GitHub(t.Context(), signed("push", body), body)
		if !fault.Is(err, fault.Invalid) || len(got.Moves) > 0 {
			t.Errorf("%s %.40q: got %+v, %v, want Invalid", c.field, c.value, got.Moves, err)
		} else if len(err.Error()) > 400 || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%s %.40q: the error does not fit a log line: %q", c.field, c.value, err)
		}
	}
	body := fill("ref", "refs/notes/commits")
	if got, err := newHook(t).GitHub(t.Context(), signed("push", body), body); err != nil || len(got.Moves) > 0 || got.Ignored == "" {
		t.Errorf("notes: got %+v, %v, want it ignored with a reason", got, err)
	}
}

func TestWhatIsTooLargeIsRefusedBeforeItIsVerified(t *testing.T) { // security W5
	h, err := New(t.Context(), Static(secret.Key{ID: "current", Value: secret.Of(text)}), 4096)
	if err != nil {
		t.Fatal(err)
	}
	pad := func(n int) []byte {
		b := event(t, "push.json")
		return append(b, strings.Repeat(" ", n-len(b))...)
	}
	if got, err := h.GitHub(t.Context(), signed("push", pad(4096)), pad(4096)); err != nil || len(got.Moves) != 1 {
		t.Errorf("at the cap: %+v, %v", got, err)
	}
	if got, err := h.GitHub(t.Context(), signed("push", pad(4097)), pad(4097)); !errors.Is(err, ErrTooLarge) || got.KeyID != "" {
		t.Errorf("over the cap: %+v, %v, want too large", got, err)
	}
	header := signed("push", pad(4096))
	header["x-long"] = strings.Repeat("a", maxHeader)
	if _, err := h.GitHub(t.Context(), header, pad(4096)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("headers over the cap: %v, want too large", err)
	}
	large := make([]byte, 32<<20)
	if n := testing.AllocsPerRun(3, func() { _, _ = h.GitHub(t.Context(), header, large) }); n > 50 {
		t.Errorf("a body of 32 MiB costs %v allocations", n)
	}
}

func TestADeliveryWithoutIdIsKnownByItsBody(t *testing.T) {
	body := event(t, "push.json")
	header := signed("push", body)
	delete(header, "x-github-delivery")
	a, err := newHook(t).GitHub(t.Context(), header, body)
	if err != nil || len(a.ID) != 64 || a.Moves[0].Delivery != a.ID {
		t.Errorf("got %+v, %v, want the body's hash", a, err)
	}
}

func TestADeletionIsSaidEitherWay(t *testing.T) {
	push := string(event(t, "push.json"))
	for name, body := range map[string]string{
		"by its flag":    strings.Replace(push, `"deleted": false`, `"deleted": true`, 1),
		"by zeros":       strings.ReplaceAll(push, `"after": "`+string(after), `"after": "`+strings.Repeat("0", 40)),
		"by more zeros":  strings.ReplaceAll(push, `"after": "`+string(after), `"after": "`+strings.Repeat("0", 64)),
		"with both said": string(event(t, "push-branch-deleted.json")),
	} {
		if got, err := newHook(t).GitHub(t.Context(), signed("push", []byte(body)), []byte(body)); err != nil || len(got.Moves) > 0 || !strings.Contains(got.Ignored, "deleted") {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}
