package server

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/manifest"
)

var readClauses = []clause{
	{"a list selects by label and kind", func(s *scene) {
		s.apply(s.configMap("b", "k: v"))
		s.apply(s.configMap("a", "k: v"))
		s.apply(s.object("{apiVersion: v1, kind: Secret, metadata: {name: c}}"))
		bare := s.configMap("d", "k: v")
		bare.SetLabels(nil)
		s.Create("person", bare)
		s.tell("one kind: %s", s.listed("contract", []schema.GroupKind{configMaps}))
		s.tell("two kinds: %s", s.listed("contract", []schema.GroupKind{configMaps, {Kind: "Secret"}}))
		s.tell("every kind: %s", s.listed("contract", nil))
		s.tell("another label: %s", s.listed("another", nil))
	}, []string{"one kind: [ConfigMap/a ConfigMap/b]", "two kinds: [ConfigMap/a ConfigMap/b Secret/c]", "every kind: [ConfigMap/a ConfigMap/b Secret/c]", "another label: []"}},
	{"a sweep hands over metadata, and of what is known only its name and version", func(s *scene) {
		known := s.apply(s.configMap("a", "k: v"))
		s.apply(s.configMap("b", "k: v"))
		version, err := s.sweep(known)
		s.ends("sweep", err)
		s.apply(s.configMap("c", "k: v"))
		later, err := s.sweep(known)
		s.ends("sweep", err)
		s.tell("its version goes on: %v", number(later) > number(version))
	}, []string{"a, fields 0, uid true", "b, fields 1, uid true", "sweep: done", "a, fields 0, uid true", "b, fields 1, uid true", "c, fields 1, uid true", "sweep: done", "its version goes on: true"}},
	{"a watch tells what has happened since a version, in order, and goes on", func(s *scene) {
		version, err := s.sweep(nil)
		s.ends("sweep", err)
		a, b := s.configMap("a", "k: v"), s.configMap("b", "k: v")
		s.apply(a)
		s.apply(b)
		s.edit(a, "person", set("w", "data", "k"))
		s.apply(s.object("{apiVersion: v1, kind: Secret, metadata: {name: c}}"))
		bare := s.configMap("d", "k: v")
		bare.SetLabels(nil)
		s.Create("person", bare)
		version = s.watch(version, 3)
		s.edit(b, "person", set(nil, "metadata", "labels"))
		s.edit(b, "person", set("unseen", "data", "k"))
		s.edit(bare, "person", set("contract", "metadata", "labels", manifest.Label))
		was := s.live(a)
		s.Drop(idOf(a))
		version = s.watch(version, 3)
		s.tell("a deletion is newer: %v", number(version) > number(was.GetResourceVersion()))
		s.apply(a)
		s.watch(version, 1)
	}, []string{
		"sweep: done", "ADDED ConfigMap/a, fields 1", "ADDED ConfigMap/b, fields 1", "MODIFIED ConfigMap/a, fields 2",
		"DELETED ConfigMap/b, fields 1", "ADDED ConfigMap/d, fields 1", "DELETED ConfigMap/a, fields 2", "a deletion is newer: true", "ADDED ConfigMap/a, fields 1",
	}},
	{"a watch ends in order when its context does, and needs a version", func(s *scene) {
		version, err := s.sweep(nil)
		s.ends("sweep", err)
		ctx, cancel := context.WithCancel(s.t.Context())
		cancel()
		last, err := s.Watch(ctx, configMaps, version, func(manifest.Event) error { return nil })
		s.ends("ended before", err)
		s.tell("where it was: %v", last == version)
		for _, v := range []string{"", "0"} {
			_, err = s.Watch(s.t.Context(), configMaps, v, func(manifest.Event) error { return nil })
			s.ends("version "+v, err)
		}
	}, []string{"sweep: done", "ended before: done", "where it was: true", "version : internal", "version 0: internal"}},
}

func (s *scene) listed(label string, kinds []schema.GroupKind) []string {
	s.t.Helper()
	all, err := s.List(s.t.Context(), label, kinds)
	if err != nil {
		s.t.Fatal(err)
	}
	out := []string{}
	for _, m := range all {
		if m.Namespace == s.ns {
			out = append(out, m.Kind+"/"+m.Name)
		}
	}
	slices.Sort(out)
	return out
}

// sweep tells the ConfigMaps of the namespace, and answers with their version.
func (s *scene) sweep(known *unstructured.Unstructured) (string, error) {
	var lines []string
	swept, err := s.SweepSince(s.t.Context(), []schema.GroupKind{configMaps}, func(_ schema.GroupKind, namespace, name, uid, version string) bool {
		return known != nil && namespace == s.ns && name == known.GetName() && uid == string(known.GetUID()) && version == known.GetResourceVersion()
	}, func(_ schema.GroupKind, _ string, items []metav1.PartialObjectMetadata) error {
		for _, m := range items {
			if m.Namespace == s.ns {
				lines = append(lines, fmt.Sprintf("%s, fields %d, uid %v", m.Name, len(m.ManagedFields), m.UID != "" && m.ResourceVersion != ""))
			}
		}
		return nil
	})
	slices.Sort(lines)
	s.told = append(s.told, lines...)
	return swept.Whole[configMaps], err
}

// watch tells so many events of the namespace's ConfigMaps, and answers with the version where it goes on.
func (s *scene) watch(version string, events int) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	last, err := s.Watch(ctx, configMaps, version, func(e manifest.Event) error {
		if e.Object.Namespace != s.ns || e.Type == manifest.Bookmark {
			return nil
		}
		s.tell("%s %s/%s, fields %d", e.Type, e.Object.Kind, e.Object.Name, len(e.Object.ManagedFields))
		if events--; events == 0 {
			cancel()
		}
		return nil
	})
	if err != nil || events != 0 {
		s.t.Fatalf("%d events are missing, %v", events, err)
	}
	return last
}

func number(version string) int {
	n, err := strconv.Atoi(version)
	if err != nil {
		panic(err)
	}
	return n
}
