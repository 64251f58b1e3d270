package ignore_test

import (
	"context"
	"errors"
	"testing"

	"slipway/internal/app"
	"slipway/internal/fault"
	. "slipway/internal/ignore"
	"slipway/internal/manifest"
)

func TestWhichObjectsARuleIsAbout(t *testing.T) {
	web := manifest.ID{Group: "apps", Kind: "Deployment", Namespace: "shop", Name: "web"}
	role := manifest.ID{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: "web"}
	config := manifest.ID{Kind: "ConfigMap", Namespace: "shop", Name: "web"}
	for name, c := range map[string]struct {
		rule app.IgnoreDifference
		is   []manifest.ID
	}{
		"group and kind":                   {app.IgnoreDifference{Group: "apps", Kind: "Deployment"}, []manifest.ID{web}},
		"no group is the core group":       {app.IgnoreDifference{Kind: "*"}, []manifest.ID{config}},
		"any group, a kind":                {app.IgnoreDifference{Group: "*", Kind: "Deployment"}, []manifest.ID{web}},
		"anything":                         {app.IgnoreDifference{Group: "*", Kind: "*"}, []manifest.ID{web, role, config}},
		"part of a group":                  {app.IgnoreDifference{Group: "*.k8s.io", Kind: "Cluster*"}, []manifest.ID{role}},
		"? is one character":               {app.IgnoreDifference{Group: "app?", Kind: "Deploymen?"}, []manifest.ID{web}},
		"another case":                     {app.IgnoreDifference{Group: "apps", Kind: "deployment"}, nil},
		"a name":                           {app.IgnoreDifference{Group: "*", Kind: "*", Name: "web"}, []manifest.ID{web, role, config}},
		"another name":                     {app.IgnoreDifference{Group: "*", Kind: "*", Name: "we"}, nil},
		"a namespace, which some have not": {app.IgnoreDifference{Group: "*", Kind: "*", Namespace: "shop"}, []manifest.ID{web, config}},
		"another namespace":                {app.IgnoreDifference{Group: "*", Kind: "*", Namespace: "shop2"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Compile([]app.IgnoreDifference{c.rule})
			if err != nil {
				t.Fatal(err)
			}
			var got []manifest.ID
			for _, id := range []manifest.ID{web, role, config} {
				if len(r.For(id)) > 0 {
					got = append(got, id)
				}
			}
			if len(got) != len(c.is) {
				t.Fatalf("%v, want %v", got, c.is)
			}
			for i := range got {
				if got[i] != c.is[i] {
					t.Errorf("%v, want %v", got, c.is)
				}
			}
		})
	}
}

func TestWhatDoesNotCompileIsInvalid(t *testing.T) {
	if _, err := Compile([]app.IgnoreDifference{{Kind: "*", JQPathExpressions: []string{"[range(1e9)]"}}}); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

func compiled(t testing.TB, jq string) Rules {
	t.Helper()
	r, err := Compile([]app.IgnoreDifference{{Kind: "*", JQPathExpressions: []string{jq}}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAnExpressionThatSelectsTooMuchIsInvalid(t *testing.T) {
	u := decode(t, "{}")
	for i := range 150 {
		u.Object[string(rune('a'+i%26))+string(rune('a'+i/26))] = int64(i)
	}
	_, err := compiled(t, ".[] as $x | .[]").Of(t.Context(), u, u)
	if !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

func TestAnExpressionThatNeverEndsIsStopped(t *testing.T) {
	u := decode(t, "{x: 1}")
	for i := range 200 {
		u.Object[string(rune('a'+i%26))+string(rune('a'+i/26))] = int64(i)
	}
	_, err := compiled(t, "select(any(.[] as $a | .[] as $b | .[] as $c | .[] as $d | .[]; false))").Of(t.Context(), u, u)
	if !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}

func TestACancelledRunIsNoFaultOfTheExpression(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	u := decode(t, "{a: 1}")
	if _, err := compiled(t, "..").Of(ctx, u, u); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
