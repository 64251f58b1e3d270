package app

import (
	"net/url"
	"slices"
	"strings"
)

// destination reads spec.destination.
func (n node) destination() Destination {
	f := n.fields()
	d := Destination{Server: f.get("server").str(), Name: f.get("name").str(), Namespace: f.get("namespace").label()}
	switch {
	case f.m["server"] != nil && d.Server == "" && f.m["server"] != "", f.m["name"] != nil && d.Name == "" && f.m["name"] != "": // no strings: already refused
	case d.Server == "" && d.Name == "":
		n.fail("server or name is missing")
	case d.Server != "" && d.Name != "":
		n.fail("server and name exclude each other")
	case d.Server != "":
		if u, err := url.Parse(d.Server); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			f.get("server").fail("want the URL of a cluster: https://host")
		}
	}
	f.end()
	return d
}

// syncPolicy reads spec.syncPolicy.
func (n node) syncPolicy() SyncPolicy {
	f := n.fields()
	var p SyncPolicy
	if v := f.get("automated"); !v.absent() {
		a := v.fields()
		p.Automated, p.Prune, p.SelfHeal, p.AllowEmpty = a.m != nil, a.get("prune").flag(), a.get("selfHeal").flag(), a.get("allowEmpty").flag()
		if e := a.get("enabled"); !e.absent() {
			p.Automated = e.flag()
		}
		a.end()
	} else if _, there := f.m["automated"]; there {
		v.warn("is null, which means not automated; {} means automated")
	}
	seen := map[string]bool{}
	for _, v := range f.get("syncOptions").list() {
		v.syncOption(&p, seen)
	}
	f.later("retry", "managedNamespaceMetadata")
	f.end()
	return p
}

// done are options that say what is done anyway; later are those that Argo CD has and we do not. Both are from argo-cd's
// sync options page; False is what an option that is left out means.
var (
	doneOptions  = []string{"ServerSideApply=true", "Validate=true", "ApplyOutOfSyncOnly=true"}
	laterOptions = []string{"Validate", "ServerSideApply", "ApplyOutOfSyncOnly", "PruneLast", "Replace", "Force", "Prune", "Delete", "PrunePropagationPolicy", "FailOnSharedResource",
		"SkipDryRunOnMissingResource", "ClientSideApplyMigration", "DisableClientSideApplyMigration", "ServerSideDiff"}
)

func (n node) syncOption(p *SyncPolicy, seen map[string]bool) {
	o := n.str()
	if _, ok := n.value.(string); !ok {
		if n.absent() {
			n.fail("is empty")
		}
		return
	}
	key, value, ok := strings.Cut(o, "=")
	switch {
	case !ok:
		n.fail("%.80q: want Option=value", o)
	case seen[key]:
		n.fail("%.80s is there twice", key)
	case o == "CreateNamespace=true":
		p.CreateNamespace = true
	case o == "RespectIgnoreDifferences=true":
		p.RespectIgnoreDifferences = true
	case o == "CreateNamespace=false", o == "RespectIgnoreDifferences=false", slices.Contains(doneOptions, o):
	case key == "CreateNamespace", key == "RespectIgnoreDifferences":
		n.fail("%.80q: want true or false", value)
	case slices.Contains(laterOptions, key):
		n.fail("%.80s: not supported yet", o)
	default:
		n.fail("%.80s: unknown option", o)
	}
	seen[key] = true
}
