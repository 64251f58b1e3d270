package server

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// What protocol.md rule 12 rests on: an apply means one object in one state, or its absence.
var applyClauses = []clause{
	{"an apply with resourceVersion 1 and no uid creates", func(s *scene) {
		u := s.configMap("a", "k: v")
		live, _, err := s.Apply(s.t.Context(), at(u, nil), false)
		s.ends("create", err)
		s.show(live)
		s.tell("uid %v, version %v, created %v", live.GetUID() != "", live.GetResourceVersion() != "", live.GetCreationTimestamp().Time.Unix() > 0)
		_, _, err = s.Apply(s.t.Context(), at(s.configMap("a", "k: other"), nil), false)
		s.ends("create again", err)
		s.show(s.live(u))
	}, []string{
		"create: done", "a map[k:v]", `  slipway Apply .data.k .metadata.labels["slipway.dev/application"]`, "uid true, version true, created true",
		"create again: conflict", "a map[k:v]", `  slipway Apply .data.k .metadata.labels["slipway.dev/application"]`,
	}},
	{"a stale resourceVersion or another uid is a conflict", func(s *scene) {
		u := s.configMap("a", "k: v1")
		old := s.apply(u)
		now := s.apply(s.configMap("a", "k: v2"))
		_, _, err := s.Apply(s.t.Context(), at(s.configMap("a", "k: v3"), old), false)
		s.ends("stale", err)
		_, _, err = s.Apply(s.t.Context(), at(s.configMap("a", "k: v3"), old), true)
		s.ends("stale dry run", err)
		other := at(s.configMap("a", "k: v3"), now)
		other.SetUID("0b0a9f8e-0000-4000-8000-000000000000")
		_, _, err = s.Apply(s.t.Context(), other, false)
		s.ends("another uid", err)
		s.tell("%s", s.live(u).Object["data"])
	}, []string{"stale: conflict", "stale dry run: conflict", "another uid: conflict", "map[k:v2]"}},
	{"what was deleted is not made again, and what was made anew is another", func(s *scene) {
		u := s.configMap("a", "k: v1")
		old := s.apply(u)
		s.Drop(idOf(u))
		_, _, err := s.Apply(s.t.Context(), at(u, old), false)
		s.ends("apply to what is gone", err)
		s.there(u)
		now := s.apply(u)
		s.tell("another uid: %v", now.GetUID() != old.GetUID())
		_, _, err = s.Apply(s.t.Context(), at(u, old), false)
		s.ends("apply to the old one", err)
	}, []string{"apply to what is gone: conflict", "a is gone", "another uid: true", "apply to the old one: conflict"}},
	{"an apply that changes nothing makes no version", func(s *scene) {
		u := s.configMap("a", "k: v")
		first := s.apply(u)
		again := s.apply(u)
		s.tell("same version: %v", again.GetResourceVersion() == first.GetResourceVersion())
		s.edit(u, "person", func(*unstructured.Unstructured) {})
		s.tell("after an edit that changes nothing: %v", s.live(u).GetResourceVersion() == first.GetResourceVersion())
		third := s.apply(s.configMap("a", "k: w"))
		s.tell("after a change: %v", third.GetResourceVersion() == first.GetResourceVersion())
	}, []string{"same version: true", "after an edit that changes nothing: true", "after a change: false"}},
	{"a dry run answers and writes nothing", func(s *scene) {
		u := s.configMap("a", "k: v")
		would, _, err := s.Apply(s.t.Context(), u, true)
		s.ends("dry run of a creation", err)
		s.show(would)
		s.tell("has a version: %v", would.GetResourceVersion() != "")
		s.there(u)
		first := s.apply(u)
		_, _, err = s.Apply(s.t.Context(), at(u, nil), true)
		s.ends("dry run of a creation of what is there", err)
		would, _, err = s.Apply(s.t.Context(), s.configMap("a", "j: w"), true)
		s.ends("dry run of a change", err)
		s.show(would)
		s.tell("has the version: %v", would.GetResourceVersion() == first.GetResourceVersion())
		now := s.live(u)
		s.show(now)
		s.tell("has the version: %v", now.GetResourceVersion() == first.GetResourceVersion())
	}, []string{
		"dry run of a creation: done", "a map[k:v]", `  slipway Apply .data.k .metadata.labels["slipway.dev/application"]`, "has a version: false", "a is gone",
		"dry run of a creation of what is there: conflict",
		"dry run of a change: done", "a map[j:w]", `  slipway Apply .data.j .metadata.labels["slipway.dev/application"]`, "has the version: true",
		"a map[k:v]", `  slipway Apply .data.k .metadata.labels["slipway.dev/application"]`, "has the version: true",
	}},
	{"what fits no schema is invalid and changes nothing", func(s *scene) {
		for _, text := range []string{
			"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, datum: {k: v}}",
			"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: [v]}",
		} {
			u := s.object(text)
			_, _, err := s.Apply(s.t.Context(), at(u, nil), false)
			s.ends("apply", err)
			_, _, err = s.Apply(s.t.Context(), u, true)
			s.ends("dry run", err)
			s.there(u)
		}
	}, []string{"apply: invalid", "dry run: invalid", "a is gone", "apply: invalid", "dry run: invalid", "a is gone"}},
}
