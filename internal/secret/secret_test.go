package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const canary = "TOPSECRET-VALUE-0123456789"

// hiding are all the ways in which a value can lie in another one.
func hiding() []any {
	v := Of(canary)
	return []any{
		v, &v,
		struct{ Exported Value }{v}, struct{ hidden Value }{v}, &struct{ hidden *Value }{&v},
		[]Value{v}, [1]Value{v}, map[string]Value{"k": v}, map[string]any{"k": struct{ v any }{v}},
		Key{ID: "current", Value: v}, struct{ Key }{Key{"current", v}},
	}
}

func TestASecretIsNeverPrinted(t *testing.T) {
	for _, holder := range hiding() {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%10.3s", "%T", "%!"} {
			absent(t, fmt.Sprintf("%s of %T", verb, holder), fmt.Sprintf(verb, holder))
		}
		absent(t, "Sprint", fmt.Sprint(holder))
		absent(t, "an error", fmt.Errorf("check key %v: %w", holder, errors.New("bad")).Error())
		if b, err := json.Marshal(holder); err == nil {
			absent(t, "json", string(b))
		}
		if b, err := yaml.Marshal(holder); err == nil {
			absent(t, "yaml", string(b))
		}
		if b, err := xml.Marshal(holder); err == nil {
			absent(t, "xml", string(b))
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "holder", holder)
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "holder", holder)
		absent(t, "slog", log.String())
	}
}

func TestASecretSaysThatItIsOne(t *testing.T) {
	v := Of(canary)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		if got := fmt.Sprintf(verb, v); got != redacted {
			t.Errorf("%s prints %q, want %q", verb, got, redacted)
		}
	}
	if b, err := json.Marshal(map[string]any{"v": v}); err != nil || string(b) != `{"v":"[redacted]"}` {
		t.Errorf("json is %s, %v", b, err)
	}
	if v.String() != redacted || v.GoString() != redacted {
		t.Errorf("String is %q, GoString %q", v.String(), v.GoString())
	}
}

func TestASecretIsRevealedWhereAsked(t *testing.T) {
	if v := Of(canary); string(v.Reveal()) != canary || v.Len() != len(canary) {
		t.Errorf("revealed %q of %d bytes", v.Reveal(), v.Len())
	}
	var zero Value
	if zero.Len() != 0 || zero.Reveal() != nil || fmt.Sprint(zero) != redacted {
		t.Error("the zero value is not an empty secret")
	}
}

func TestSecretsCannotBeCompared(t *testing.T) {
	if reflect.TypeFor[Value]().Comparable() || reflect.TypeFor[Key]().Comparable() {
		t.Error("== compiles, and takes as long as the common prefix is")
	}
}

func absent(t *testing.T, how, out string) {
	t.Helper()
	for _, form := range []string{canary, hex.EncodeToString([]byte(canary)), base64.StdEncoding.EncodeToString([]byte(canary)),
		strings.Trim(fmt.Sprint([]byte(canary)), "[]"), strings.Trim(fmt.Sprintf("%#v", []byte(canary)), "[]byte{}")} {
		if strings.Contains(strings.ToLower(out), strings.ToLower(form)) {
			t.Errorf("%s shows the secret: %s", how, out)
		}
	}
}
