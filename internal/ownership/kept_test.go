package ownership

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestKeptNamesWhatGitDroppedAndAnotherHolds(t *testing.T) {
	const item = `"f:env":{"k:{\"name\":\"A\"}":{".":{},"f:name":{},"f:value":{}}}`
	type entries = []metav1.ManagedFieldsEntry
	for _, tt := range []struct {
		name          string
		before, after entries
		want          []KeptPath
	}{
		{
			"nothing dropped",
			entries{entry("slipway", apply, `{"f:data":{"f:a":{}}}`), entry("helm", update, `{"f:data":{"f:a":{}}}`)},
			entries{entry("slipway", apply, `{"f:data":{"f:a":{}}}`), entry("helm", update, `{"f:data":{"f:a":{}}}`)}, nil,
		},
		{
			"dropped and gone",
			entries{entry("slipway", apply, `{"f:data":{"f:a":{},"f:b":{}}}`)},
			entries{entry("slipway", apply, `{"f:data":{"f:a":{}}}`), entry("helm", update, `{"f:data":{"f:c":{}}}`)}, nil,
		},
		{
			"dropped and held",
			entries{entry("slipway", apply, `{"f:data":{"f:a":{},"f:b":{}}}`), entry("helm", update, `{"f:data":{"f:b":{}}}`)},
			entries{entry("slipway", apply, `{"f:data":{"f:a":{}}}`), entry("helm", update, `{"f:data":{"f:b":{}}}`)},
			[]KeptPath{{".data.b", "helm"}},
		},
		{
			"held by two",
			entries{entry("slipway", apply, `{"f:data":{"f:b":{}}}`)},
			entries{entry("flux", apply, `{"f:data":{"f:b":{}}}`), entry("helm", update, `{"f:data":{"f:b":{}}}`)},
			[]KeptPath{{".data.b", "flux"}, {".data.b", "helm"}},
		},
		{
			"an item stands for its fields",
			entries{entry("slipway", apply, `{`+item+`}`)},
			entries{entry("slipway", apply, `{"f:x":{}}`), entry("helm", update, `{`+item+`}`)},
			[]KeptPath{{`.env[name="A"]`, "helm"}},
		},
		{
			"another field that begins alike is named too",
			entries{entry("slipway", apply, `{"f:a":{},"f:ab":{}}`)},
			entries{entry("helm", update, `{"f:a":{},"f:ab":{}}`)},
			[]KeptPath{{".a", "helm"}, {".ab", "helm"}},
		},
		{
			"a map of which something is still ours is not kept",
			entries{entry("slipway", apply, `{"f:labels":{".":{},"f:a":{}}}`)},
			entries{entry("slipway", apply, `{"f:labels":{"f:a":{}}}`), entry("kubectl-label", update, `{"f:labels":{".":{},"f:x":{}}}`)}, nil,
		},
		{"never ours", entries{entry("helm", update, `{"f:a":{}}`)}, entries{entry("helm", update, `{"f:a":{}}`)}, nil},
		{"no entries", nil, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Kept(tt.before, tt.after)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatSomeoneAddedWithKubectlIsNotKeptButTheirs(t *testing.T) {
	before, after := fixture(t, "kubectl-apply-onto-ours"), fixture(t, "kubectl-apply-onto-ours-after")
	if got := Kept(before.ManagedFields, after.ManagedFields); got != nil {
		t.Errorf("git dropped .data.a, which nobody else had; kept: %v", got)
	}
}
