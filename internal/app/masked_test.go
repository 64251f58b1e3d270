package app

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAMaskedApplicationShowsNoValue(t *testing.T) {
	a := Application{Name: "a", Source: Source{Path: "apps/a", Helm: &Helm{
		ReleaseName: "r", Values: "password: s3cret", ValuesObject: []byte(`{"password":"s3cret"}`),
		Parameters: []Parameter{{Name: "password", Value: "s3cret", ForceString: true}},
	}}}
	before, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	m := a.Masked()
	shown, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	encoded := base64.StdEncoding.EncodeToString(a.Source.Helm.ValuesObject) // as JSON has bytes
	if s := string(shown); strings.Contains(s, "s3cret") || strings.Contains(s, encoded) || !strings.Contains(string(before), encoded) {
		t.Errorf("shown: %s", s)
	}
	want := &Helm{ReleaseName: "r", Values: "[redacted]", Parameters: []Parameter{{Name: "password", Value: "[redacted]", ForceString: true}}}
	if d := cmp.Diff(want, m.Source.Helm); d != "" {
		t.Error(d)
	}
	if after, _ := json.Marshal(a); string(after) != string(before) {
		t.Errorf("the application itself was changed: %s", after)
	}
	plain := Application{Name: "b", Source: Source{Path: ".", Helm: &Helm{ReleaseName: "r"}}}
	if d := cmp.Diff(plain, plain.Masked()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(Application{Name: "c"}, Application{Name: "c"}.Masked()); d != "" {
		t.Error(d)
	}
}
