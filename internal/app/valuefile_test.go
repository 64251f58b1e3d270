package app

import (
	"strings"
	"testing"

	"slipway/internal/fault"
)

func TestValueFilesStayInsideTheRepository(t *testing.T) {
	a := Application{Name: "order-service", Project: "default"}
	a.Source.Path, a.Source.RepoURL = "apps/order-service", "https://github.com/myorg/k8s-config"
	for raw, want := range map[string]string{
		"values-production.yaml":            "apps/order-service/values-production.yaml",
		"/common/values.yaml":               "common/values.yaml",
		"//common/values.yaml":              "common/values.yaml",
		"../shared/values.yaml":             "apps/shared/values.yaml",
		"env/*.yaml":                        "apps/order-service/env/*.yaml",
		"{a,b{c,d}}/{x,y,z}.yaml":           "apps/order-service/{a,b{c,d}}/{x,y,z}.yaml",
		"/values/$ARGOCD_APP_NAME.yaml":     "values/order-service.yaml",
		"${ARGOCD_APP_PROJECT_NAME}/v.yaml": "apps/order-service/default/v.yaml",
		"a$$b.yaml":                         "apps/order-service/a$b.yaml",
		"../../../etc/passwd":               "",
		"/../etc/passwd":                    "",
		"https://example.com/values.yaml":   "",
		"file:///etc/passwd":                "",
		"$values/charts/a.yaml":             "",
		"$ARGOCD_APP_REVISION.yaml":         "",
		"$ARGOCD_APP_SECRET.yaml":           "",
		"a$HOME.yaml":                       "",
		strings.Repeat("{a,b}", 20):         "", // a million paths, each matched with each file of the repository
		strings.Repeat("{a,", 20) + "b" + strings.Repeat("}", 20): "",
		"a\\b.yaml": "",
		"a\x00b":    "",
		"":          "",
		"/":         "",
	} {
		a.Source.Helm = &Helm{ValueFiles: []string{raw}}
		got, err := a.ValueFiles()
		switch {
		case want == "" && !fault.Is(err, fault.Invalid):
			t.Errorf("%q: %v, %v; want it refused", raw, got, err)
		case want != "" && (err != nil || got[0] != want):
			t.Errorf("%q: %v, %v; want %s", raw, got, err, want)
		}
	}
	a.Source.Helm = nil
	if got, err := a.ValueFiles(); got != nil || err != nil {
		t.Errorf("without helm: %v, %v", got, err)
	}
}
