package app_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	. "slipway/internal/app"
	"slipway/internal/revision"
)

func TestSource(t *testing.T) {
	check(t, []change{
		{"spec.source", "here", "spec.source: want a mapping, got a string"},
		{"spec.source.repoURL", gone, "spec.source.repoURL: is missing"},
		{"spec.source.repoURL", "", "spec.source.repoURL: parse repository"},
		{"spec.source.repoURL", "oci://ghcr.io/a/b", `scheme "oci" is not https, http or ssh`},
		{"spec.source.repoURL", "git@github.com:myorg/shop.git", ""},
		{"spec.source.repoURL", "ssh://git@github.com/myorg/shop", ""},
		{"spec.source.path", gone, `spec.source.path: is missing; "." is the root of the repository`},
		{"spec.source.path", "", "spec.source.path: is missing"},
		{"spec.source.path", "./apps/../apps/shop/", ""},
		{"spec.source.path", "/apps", "does not stay inside the repository"},
		{"spec.source.path", "..", "does not stay inside the repository"},
		{"spec.source.path", "apps/../../x", "does not stay inside the repository"},
		{"spec.source.path", `apps\shop`, "does not stay inside the repository"},
		{"spec.source.path", "apps\x00", "does not stay inside the repository"},
		{"spec.source.path", strings.Repeat("a/", 600), "does not stay inside the repository"},
		{"spec.source.path", "..apps", ""},
		{"spec.source.chart", "redis", "spec.source.chart: not supported yet"},
		{"spec.source.kustomize", object{}, "spec.source.kustomize: not supported yet"},
		{"spec.source.plugin", object{"name": "x"}, "spec.source.plugin: not supported yet"},
		{"spec.source.ref", "values", "spec.source.ref: not supported yet"},
		{"spec.source.name", "first", "spec.source.name: not supported yet"},
		{"spec.source.branch", "main", "spec.source.branch: unknown field"},
	})
}

func TestTargetRevision(t *testing.T) {
	at := func(v any, refused string) change { return change{"spec.source.targetRevision", v, refused} }
	check(t, []change{
		at("", ""), at(nil, ""), at("main", ""), at("HEAD", ""), at("release/1.2", ""), at("v1.2.3", ""), at("refs/heads/main", ""), at("refs/tags/v1", ""),
		at(strings.Repeat("a", 40), ""), at("feature#7", ""), at("ünïcode", ""),
		at(1.2, "want a string, got a number; put it in quotes"),
		at("v1.*", "ranges of versions are not supported yet"), at("^1.2", "ranges of versions"), at("~1.2.0", "ranges of versions"), at(">=1.0", "ranges of versions"), at("1.x || 2.x", "ranges of versions"),
		at("refs/pull/7/head", "neither a branch nor a tag"), at("-upload-pack=x", "no branch, tag or commit id"), at("a..b", "no branch, tag or commit id"),
		at("a b", "no branch, tag or commit id"), at("main\n", "no branch, tag or commit id"), at("a//b", "no branch, tag or commit id"), at("/a", "no branch, tag or commit id"), at("a/", "no branch, tag or commit id"),
		at("a.lock", "no branch, tag or commit id"), at("a@{1}", "no branch, tag or commit id"), at(".a", "no branch, tag or commit id"), at("refs/heads/", "no branch, tag or commit id"), at(strings.Repeat("a", 256), "no branch, tag or commit id"),
	})
}

func TestHelm(t *testing.T) {
	at := func(field string, v any, refused string) change {
		return change{"spec.source.helm." + field, v, refused}
	}
	check(t, []change{
		at("releaseName", "shop", ""), at("releaseName", "Shop", "spec.source.helm.releaseName: \"Shop\" is no release name"), at("releaseName", strings.Repeat("a", 54), "is no release name"),
		at("version", "v3", ""), at("version", "v2", `spec.source.helm.version: "v2": only v3 is supported`),
		at("passCredentials", false, ""), at("passCredentials", true, "spec.source.helm.passCredentials: not supported yet"),
		at("fileParameters", list{}, ""), at("fileParameters", list{object{"name": "a", "path": "b"}}, "spec.source.helm.fileParameters: not supported yet"),
		at("skipCrds", "yes", "spec.source.helm.skipCrds: want true or false, got a string"),
		at("values", "a: 1", ""), at("values", "", ""), at("values", "# nothing", ""), at("values", "[a]", "spec.source.helm.values: is not YAML of a mapping"), at("values", "a: [", "is not YAML"), at("values", object{"a": "b"}, "want a string, got a mapping"),
		at("valuesObject", object{"a": object{"b": nil}}, ""), at("valuesObject", list{}, "spec.source.helm.valuesObject: want a mapping, got a list"),
		at("parameters", list{object{"name": "a", "value": "1", "forceString": true}}, ""), at("parameters", list{object{"value": "1"}}, "spec.source.helm.parameters[0].name: is missing"),
		at("parameters", list{object{"name": "", "value": "1"}}, "spec.source.helm.parameters[0].name: is empty"), at("parameters", list{object{"name": "a", "value": int64(1)}}, "parameters[0].value: want a string, got a number"),
		at("parameters", list{object{"name": "a", "value": "$ARGOCD_APP_NAME-$$"}}, ""), at("parameters", list{object{"name": "a", "value": "pa$word"}}, "parameters[0].value: holds a $ that starts no $ARGOCD_APP_... variable"),
		at("parameters", list{object{"name": "a", "val": "1"}}, "parameters[0].val: unknown field"), at("parameters", object{"a": "1"}, "parameters: want a list, got a mapping"), at("parameters", list{"a=1"}, "parameters[0]: want a mapping"),
		at("namespace", "other", ""), at("namespace", "Other", "is no namespace"),
		at("kubeVersion", "v1.30.2", ""), at("kubeVersion", "1.30.2-eks-1", ""), at("kubeVersion", "newest", `spec.source.helm.kubeVersion: "newest" is no version`),
		at("apiVersions", list{"batch/v1"}, ""), at("apiVersions", list{""}, "spec.source.helm.apiVersions[0]: is empty"),
		at("valuesFiles", list{"a"}, "spec.source.helm.valuesFiles: unknown field"),
	})
}

func TestValueFiles(t *testing.T) {
	at := func(v any, refused string) change {
		return change{"spec.source.helm.valueFiles", list{"values.yaml", v}, refused}
	}
	const out = "spec.source.helm.valueFiles[1]: "
	check(t, []change{
		at("values-production.yaml", ""), at("env/*.yaml", ""), at("/shared/values.yaml", ""), at("values-$ARGOCD_APP_NAME.yaml", ""), at("$ARGOCD_APP_NAME/values.yaml", ""), at("${ARGOCD_APP_NAME}/values.yaml", ""), at("$ARGOCD_APP_NAMES/values.yaml", "variable $ARGOCD_APP_NAMES is not known"), at("values-$ARGOCD_APP_REVISION.yaml", "variable $ARGOCD_APP_REVISION is not supported"),
		at("", out+"is empty"), at(nil, out+"is empty"), at(int64(1), out+"want a string"),
		at("https://example.com/values.yaml", " is a URL"), at("HTTP://example.com/v", " is a URL"), at("s3://bucket/v", " is a URL"), at("file:///etc/passwd", " is a URL"),
		at("$values/values.yaml", out+`"$values/values.yaml" names another source ($values): applications with several sources are not supported yet`),
		at("../values.yaml", out+"\"../values.yaml\" is outside of the repository"), at("a/../../values.yaml", "is outside of the repository"), at("/../values.yaml", "is outside of the repository"), at(`a\b`, "is not a slash-separated path"), at("a\nb", "is not a slash-separated path"),
	})
	deep := with(with(minimal(), "spec.source.path", "apps/shop"), "spec.source.helm.valueFiles", list{"../../values.yaml"})
	if _, _, err := DecodeObject("f.yaml", nil, deep); err != nil {
		t.Errorf("a value file above the path and inside the repository: %v", err)
	}
}

func TestDirectory(t *testing.T) {
	at := func(field string, v any, refused string) change {
		return change{"spec.source.directory." + field, v, refused}
	}
	check(t, []change{
		at("recurse", true, ""), at("include", "*.yaml", ""), at("exclude", "{a,b}", ""), at("jsonnet", object{}, ""), at("jsonnet", nil, ""),
		at("jsonnet", object{"libs": list{"x"}}, "spec.source.directory.jsonnet: not supported yet"), at("jsonnet", "", "spec.source.directory.jsonnet: not supported yet"),
		at("recursive", true, "spec.source.directory.recursive: unknown field"), at("recurse", "true", "want true or false, got a string"),
	})
	both := with(with(minimal(), "spec.source.helm", object{}), "spec.source.directory", object{})
	if _, _, err := DecodeObject("f.yaml", nil, both); err == nil || !strings.Contains(err.Error(), "spec.source.directory: helm and directory exclude each other") {
		t.Errorf("helm and directory: %v", err)
	}
}

func TestEveryFieldOfASourceArrives(t *testing.T) {
	obj := with(minimal(), "spec.source", object{
		"repoURL": "https://github.com/myorg/shop", "path": "./apps//shop/", "targetRevision": "dev",
		"helm": object{
			"releaseName": "rel", "valueFiles": list{"a.yaml", "/b.yaml"}, "ignoreMissingValueFiles": true, "values": "a: 1\n", "valuesObject": object{"z": int64(9007199254740993), "a": list{1.5, nil, "x"}},
			"parameters": list{object{"name": "n", "value": "v", "forceString": true}, object{"name": "m"}}, "skipCrds": true, "skipSchemaValidation": true, "skipTests": true, "namespace": "ns", "kubeVersion": "1.30", "apiVersions": list{"a/v1"},
		},
	})
	a, _, err := DecodeObject("f.yaml", nil, obj)
	want := Source{RepoURL: "https://github.com/myorg/shop", Path: "apps/shop", TargetRevision: "dev", Helm: &Helm{
		ReleaseName: "rel", ValueFiles: []string{"a.yaml", "/b.yaml"}, IgnoreMissingValueFiles: true, Values: "a: 1\n", ValuesObject: []byte(`{"a":[1.5,null,"x"],"z":9007199254740993}`),
		Parameters: []Parameter{{Name: "n", Value: "v", ForceString: true}, {Name: "m"}}, SkipCRDs: true, SkipSchemaValidation: true, SkipTests: true, Namespace: "ns", KubeVersion: "1.30", APIVersions: []string{"a/v1"},
	}}
	if err != nil || cmp.Diff(want, a.Source) != "" {
		t.Errorf("%v\n%s", err, cmp.Diff(want, a.Source))
	}
}

// An empty helm block still says that the source is a chart (argo-cd ExplicitType).
func TestAnEmptyBlockStillSaysTheType(t *testing.T) {
	a, _, err := DecodeObject("f.yaml", nil, with(minimal(), "spec.source.helm", object{}))
	if err != nil || a.Source.Helm == nil {
		t.Errorf("%v %v", a.Source.Helm, err)
	}
}

// Security X6: state holds no secrets, and the URL is part of every bundle and record.
func TestCredentialsInARepoURLAreRefusedAndNotShown(t *testing.T) {
	for _, u := range []string{"https://user:s3cret@github.com/myorg/shop", "https://s3cret@github.com/myorg/shop", "ssh://git:s3cret@github.com/myorg/shop", "https://user:s3%cret@github.com/myorg/shop", "https://github.com/myorg/shop?token=s3cret", "user:s3cret@github.com:myorg/shop", "user:s3cret@github.com/myorg/shop", "s3cret@github.com/myorg/shop", "HTTPS://s3cret@github.com/myorg/shop", "ssh://git:s3@cret@github.com/myorg/shop"} {
		_, _, err := DecodeObject("f.yaml", nil, with(minimal(), "spec.source.repoURL", u))
		if err == nil || strings.Contains(err.Error(), "cret") {
			t.Errorf("%s: %v", u, err)
		}
	}
}

func TestValuesAreNotShownInErrors(t *testing.T) {
	for _, v := range []string{"password: s3cret\n  bad: [", "s3cret", "- s3cret", "password: *s3cret", "a: 1\na: s3cret"} {
		_, _, err := DecodeObject("f.yaml", nil, with(minimal(), "spec.source.helm.values", v))
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", v, err)
		}
	}
}

func TestAnAliasThatIsAPasswordIsNotShown(t *testing.T) {
	_, err := Decode("f.yaml", []byte("a: b\npassword: *s3cret\n"))
	if err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "f.yaml:1: yaml: unknown anchor referenced") {
		t.Error(err)
	}
}

func TestFromIsTheBranchAsMovesNameIt(t *testing.T) {
	for in, want := range map[string]string{"": revision.Head, "HEAD": revision.Head, "main": "main", "refs/heads/main": "main", "refs/heads/a/b": "a/b", "refs/tags/v1": "v1"} {
		a := orderService
		a.Source.TargetRevision = in
		got, err := a.From()
		if err != nil || got != (revision.Source{Repository: "github.com/myorg/k8s-config", Ref: want}) {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
	a := orderService
	a.Source.RepoURL = "nowhere"
	if _, err := a.From(); err == nil {
		t.Error("a URL that is none is accepted")
	}
}
