package hook

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/fault"
	"slipway/internal/secret"
)

func TestAHookIsNotMadeWithoutAGoodSecret(t *testing.T) { // security W1
	for name, keys := range map[string][]secret.Key{
		"no secret":             nil,
		"an empty secret":       {{ID: "current", Value: secret.Of("")}},
		"a zero secret":         {{ID: "current"}},
		"a short secret":        {{ID: "current", Value: secret.Of(strings.Repeat("s", 31))}},
		"a short previous one":  {{ID: "current", Value: secret.Of(text)}, {ID: "previous", Value: secret.Of("short-one")}},
		"an empty previous one": {{ID: "current", Value: secret.Of(text)}, {ID: "previous", Value: secret.Of("")}},
	} {
		h, err := New(t.Context(), Static(keys...), 0)
		if h != nil || !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v, %v, want Invalid", name, h, err)
		} else if strings.Contains(err.Error(), "short-one") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %q", name, err)
		}
	}
	away := errors.New("secrets manager is away")
	if _, err := New(t.Context(), func(context.Context) ([]secret.Key, error) { return nil, away }, 0); !errors.Is(err, away) {
		t.Errorf("secrets that cannot be read: %v", err)
	}
	if _, err := New(t.Context(), Static(secret.Key{ID: "current", Value: secret.Of(strings.Repeat("s", 32))}), 0); err != nil {
		t.Errorf("32 bytes: %v", err)
	}
}

// vault is a place of secrets that can be rotated and taken away.
type vault struct {
	keys  []secret.Key
	err   error
	reads int
}

func (v *vault) read(context.Context) ([]secret.Key, error) {
	v.reads++
	return v.keys, v.err
}

func key(id, text string) secret.Key { return secret.Key{ID: id, Value: secret.Of(text)} }

func TestTwoSecretsAreValidWhileOneIsReplaced(t *testing.T) { // security W18, reference fault 63
	synctest.Test(t, func(t *testing.T) {
		one, two := strings.Repeat("1", 40), strings.Repeat("2", 40)
		v := &vault{keys: []secret.Key{key("current", one)}}
		h, err := New(t.Context(), v.read, 0)
		if err != nil {
			t.Fatal(err)
		}
		body := []byte(`{}`)
		from := func(s string) string {
			header := signed("ping", body)
			header["x-hub-signature-256"] = "sha256=" + sign(sha256.New, s, body)
			d, err := h.GitHub(t.Context(), header, body)
			if err != nil && !fault.Is(err, fault.Denied) {
				t.Fatal(err)
			}
			return d.KeyID
		}
		check := func(when, one1, two2 string) {
			t.Helper()
			if a, b := from(one), from(two); a != one1 || b != two2 {
				t.Errorf("%s: the first secret is %q and the second %q, want %q and %q", when, a, b, one1, two2)
			}
		}
		check("before", "current", "")
		v.keys = []secret.Key{key("current", two), key("previous", one)}
		if got := from(two); got != "" {
			t.Errorf("a new secret is %q within the minute, so refused requests make reads", got)
		}
		time.Sleep(retryAfter)
		if a, b := from(two), from(one); a != "current" || b != "previous" { // the new secret is met first, and read
			t.Errorf("during: the new secret is %q and the old %q", a, b)
		}
		v.keys = v.keys[:1]
		time.Sleep(staleAfter)
		check("after", "", "current")
	})
}

func TestRefusedRequestsReadTheSecretsOnceAMinuteAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vault{keys: []secret.Key{key("current", text)}}
		h, err := New(t.Context(), v.read, 0)
		if err != nil {
			t.Fatal(err)
		}
		for range 600 {
			if err := h.Refuse(t.Context(), []byte("x")); !fault.Is(err, fault.Denied) {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if v.reads > 11 {
			t.Errorf("%d reads in ten minutes", v.reads)
		}
	})
}

func TestSecretsThatCannotBeReadAgainStayValidAndAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vault{keys: []secret.Key{key("current", text)}}
		h, err := New(t.Context(), v.read, 0)
		if err != nil {
			t.Fatal(err)
		}
		v.keys, v.err = nil, errors.New("secrets manager is away")
		time.Sleep(staleAfter)
		body := []byte(`{}`)
		if d, err := h.GitHub(t.Context(), signed("ping", body), body); err != nil || d.KeyID != "current" {
			t.Errorf("got %+v, %v", d, err)
		}
		if err := h.Stale(); !errors.Is(err, v.err) {
			t.Errorf("stale says %v", err)
		}
		v.keys, v.err = []secret.Key{key("current", text)}, nil
		time.Sleep(staleAfter)
		if _, err := h.GitHub(t.Context(), signed("ping", body), body); err != nil || h.Stale() != nil {
			t.Errorf("after it is back: %v, stale %v", err, h.Stale())
		}
	})
}
