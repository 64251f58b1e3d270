package app_test

import (
	"strings"
	"testing"

	. "slipway/internal/app"
)

func TestDestination(t *testing.T) {
	at := func(d object, refused string) change { return change{"spec.destination", d, refused} }
	check(t, []change{
		at(object{"server": "https://kubernetes.default.svc", "namespace": "production"}, ""),
		at(object{"server": "https://staging.example.com:6443/"}, ""),
		at(object{"name": "staging", "namespace": "production"}, ""),
		at(object{}, "spec.destination: server or name is missing"),
		at(object{"namespace": "production"}, "spec.destination: server or name is missing"),
		at(object{"server": "", "name": ""}, "spec.destination: server or name is missing"),
		at(object{"server": "https://a", "name": "a"}, "spec.destination: server and name exclude each other"),
		at(object{"server": "https://a", "name": ""}, ""),
		at(object{"server": "staging"}, "spec.destination.server: want the URL of a cluster"),
		at(object{"server": "ftp://a"}, "spec.destination.server: want the URL of a cluster"),
		at(object{"server": "https://"}, "spec.destination.server: want the URL of a cluster"),
		at(object{"server": "https://user:pw@a"}, "spec.destination.server: want the URL of a cluster"),
		at(object{"server": "https://a?b=c"}, "spec.destination.server: want the URL of a cluster"),
		at(object{"server": int64(1)}, "spec.destination.server: want a string"),
		at(object{"name": "a", "namespace": "Production"}, `spec.destination.namespace: "Production" is no namespace`),
		at(object{"name": "a", "cluster": "b"}, "spec.destination.cluster: unknown field"),
	})
}

func TestADestinationOfTheWrongTypeIsOneProblem(t *testing.T) {
	_, _, err := DecodeObject("f.yaml", nil, with(minimal(), "spec.destination", object{"server": int64(1)}))
	if err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}

func TestSyncPolicy(t *testing.T) {
	for name, tc := range map[string]struct {
		policy any
		want   SyncPolicy
		warned bool
	}{
		"none":                                   {nil, SyncPolicy{}, false},
		"an empty one":                           {object{}, SyncPolicy{}, false},
		"automated, with nothing said":           {object{"automated": object{}}, SyncPolicy{Automated: true}, false},
		"automated null is none, and warned of":  {object{"automated": nil}, SyncPolicy{}, true},
		"automated in full":                      {object{"automated": object{"prune": true, "selfHeal": true, "allowEmpty": true}}, SyncPolicy{Automated: true, Prune: true, SelfHeal: true, AllowEmpty: true}, false},
		"enabled is what it is without":          {object{"automated": object{"enabled": true}}, SyncPolicy{Automated: true}, false},
		"not enabled is not automated":           {object{"automated": object{"enabled": false, "prune": true}}, SyncPolicy{Prune: true}, false},
		"creating the namespace":                 {object{"syncOptions": list{"CreateNamespace=true"}}, SyncPolicy{CreateNamespace: true}, false},
		"what is ignored is respected":           {object{"syncOptions": list{"RespectIgnoreDifferences=true"}}, SyncPolicy{RespectIgnoreDifferences: true}, false},
		"what is ignored is not respected":       {object{"syncOptions": list{"RespectIgnoreDifferences=false"}}, SyncPolicy{}, false},
		"not creating the namespace":             {object{"syncOptions": list{"CreateNamespace=false"}}, SyncPolicy{}, false},
		"options that say what is done anyway":   {object{"syncOptions": list{"ServerSideApply=true", "Validate=true", "ApplyOutOfSyncOnly=true"}}, SyncPolicy{}, false},
		"lists that are empty change nothing":    {object{"syncOptions": list{}, "retry": nil}, SyncPolicy{}, false},
		"automated and options stand by another": {object{"automated": object{"prune": false}, "syncOptions": list{"CreateNamespace=true"}}, SyncPolicy{Automated: true, CreateNamespace: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			a, warnings, err := DecodeObject("f.yaml", nil, with(minimal(), "spec.syncPolicy", tc.policy))
			if err != nil || a.Sync != tc.want || tc.warned != (len(warnings) > 0) {
				t.Errorf("%+v, %v, %v", a.Sync, warnings, err)
			}
		})
	}
}

func TestWhatASyncPolicyMayNotSay(t *testing.T) {
	at := func(field string, v any, refused string) change {
		return change{"spec.syncPolicy." + field, v, refused}
	}
	option := func(o any, refused string) change {
		return at("syncOptions", list{o}, "spec.syncPolicy.syncOptions[0]: "+refused)
	}
	check(t, []change{
		at("automated", true, "spec.syncPolicy.automated: want a mapping, got true or false"),
		at("automated.prune", "true", "spec.syncPolicy.automated.prune: want true or false, got a string"),
		at("automated.selfheal", true, "spec.syncPolicy.automated.selfheal: unknown field"),
		at("retry", object{"limit": int64(5)}, "spec.syncPolicy.retry: not supported yet"),
		at("managedNamespaceMetadata", object{"labels": object{}}, "spec.syncPolicy.managedNamespaceMetadata: not supported yet"),
		at("syncOptions", "CreateNamespace=true", "spec.syncPolicy.syncOptions: want a list, got a string"),
		at("syncOptions", list{"CreateNamespace=true", "CreateNamespace=false"}, "spec.syncPolicy.syncOptions[1]: CreateNamespace is there twice"),
		option("PruneLast=true", "PruneLast=true: not supported yet"), option("Replace=true", "Replace=true: not supported yet"), option("Prune=false", "Prune=false: not supported yet"),
		option("Validate=false", "Validate=false: not supported yet"), option("ServerSideApply=false", "ServerSideApply=false: not supported yet"), option("RespectIgnoreDifferences=yes", `"yes": want true or false`),
		option("CreateNamespace", `"CreateNamespace": want Option=value`), option("CreateNamespace=yes", `"yes": want true or false`), option("createNamespace=true", "createNamespace=true: unknown option"),
		option(nil, "is empty"), option("", `"": want Option=value`), option(true, "want a string"),
	})
}
