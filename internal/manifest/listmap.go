package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// listMaps are the lists of a pod that the API server keeps by key, and in which it lets a key come twice with a warning
// when an object is created ("hides previous definition of"), but not when it is applied ("failed to create typed patch
// object: duplicate entries for key", a 500). Seen on kube-apiserver 1.36.3. What is refused either way, such as two
// containers or volumes of one name, is left to it: dropping one would turn an error into a smaller workload.
var (
	podLists       = map[string][]string{"imagePullSecrets": {"name"}, "hostAliases": {"ip"}}
	containerLists = map[string][]string{"env": {"name"}, "ports": {"containerPort", "protocol"}}
	accountLists   = map[string][]string{"secrets": {"name"}}
	containers     = []string{"initContainers", "containers", "ephemeralContainers"}
)

// ListMapDuplicates is a warning for each key that comes more than once in a list of o that is kept by key, such as
// `a.yaml: Deployment.apps shop/web: spec.template.spec.containers[0].env[3].name: "X" appears 2 times, the last wins`.
// The path is that of the last. o is not changed.
func ListMapDuplicates(o Object) (warnings []string) { return listDuplicates(o, false) }

// LastWins drops from o what ListMapDuplicates warns of: of each key all but the last. The last is what a client-side
// apply and the kubelet would make of it.
func LastWins(o Object) { listDuplicates(o, true) }

func listDuplicates(o Object, drop bool) []string {
	d := deduplicator{prefix: o.File + ": " + o.ID().String() + ": ", drop: drop}
	if id := o.ID(); id.Group == "" && id.Kind == "ServiceAccount" {
		d.lists(o.Object, "", accountLists)
		return d.warnings
	}
	path := podSpec(o.ID())
	spec := o.Object
	for _, k := range path {
		spec, _ = spec[k].(map[string]any)
	}
	if len(path) == 0 || spec == nil {
		return nil
	}
	at := strings.Join(path, ".") + "."
	d.lists(spec, at, podLists)
	for _, field := range containers {
		list, _ := spec[field].([]any)
		for i, c := range list {
			if c, ok := c.(map[string]any); ok {
				d.lists(c, fmt.Sprintf("%s%s[%d].", at, field, i), containerLists)
			}
		}
	}
	return d.warnings
}

// podSpec is where a kind of Kubernetes' own has its pod's spec; nil if it has none.
func podSpec(id ID) []string {
	switch id.GroupKind().String() {
	case "Pod":
		return []string{"spec"}
	case "Deployment.apps", "ReplicaSet.apps", "StatefulSet.apps", "DaemonSet.apps", "Job.batch", "ReplicationController":
		return []string{"spec", "template", "spec"}
	case "PodTemplate":
		return []string{"template", "spec"}
	case "CronJob.batch":
		return []string{"spec", "jobTemplate", "spec", "template", "spec"}
	}
	return nil
}

type deduplicator struct {
	prefix   string
	drop     bool
	warnings []string
}

func (d *deduplicator) lists(m map[string]any, at string, lists map[string][]string) {
	for _, field := range slices.Sorted(maps.Keys(lists)) {
		list, ok := m[field].([]any)
		if !ok {
			continue
		}
		keys := lists[field]
		last, times := map[string]int{}, map[string]int{}
		for i, e := range list {
			if k, ok := keyOf(e, keys); ok {
				last[k] = i
				times[k]++
			}
		}
		var kept []any
		for i, e := range list {
			k, ok := keyOf(e, keys)
			if ok && last[k] != i {
				continue
			}
			kept = append(kept, e)
			if ok && times[k] > 1 {
				d.warnings = append(d.warnings, fmt.Sprintf("%s%s%s[%d].%s: %s appears %d times, the last wins", d.prefix, at, field, i, keys[0], k, times[k]))
			}
		}
		if d.drop && len(kept) < len(list) {
			m[field] = kept
		}
	}
}

// keyOf is an item's key as text: "X", or 80/TCP for a port, whose protocol defaults to TCP. No key: left to the server.
func keyOf(item any, keys []string) (string, bool) {
	m, ok := item.(map[string]any)
	if !ok {
		return "", false
	}
	switch v := m[keys[0]].(type) {
	case string:
		return fmt.Sprintf("%q", v), true
	case int64, float64:
		protocol, ok := m["protocol"].(string)
		if !ok {
			protocol = "TCP"
		}
		return fmt.Sprintf("%v/%s", v, protocol), true
	}
	return "", false
}
