package drive

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/lease"
	"slipway/internal/manifest"
	"slipway/internal/record"
)

// held are the fields of an object that the Rollout alone says it holds: no record is asked.
func held(rollout, said, live *unstructured.Unstructured) map[string]bool {
	out := map[string]bool{}
	for _, l := range lease.Of(rollout)[manifest.IDOf(said)] {
		for _, f := range l.Fields(said, live) {
			path := ""
			for _, key := range f.Path {
				path += fmt.Sprint("|", key)
			}
			out[path] = true
		}
	}
	return out
}

// changed are the paths at which two values differ.
func changed(path string, a, b any) []string {
	var out []string
	before, was := a.(map[string]any)
	after, is := b.(map[string]any)
	if (was || a == nil) && is {
		keys := map[string]any{}
		maps.Copy(keys, before)
		maps.Copy(keys, after)
		for key := range keys {
			out = append(out, changed(path+"|"+key, before[key], after[key])...)
		}
		return out
	}
	list, was := a.([]any)
	other, is := b.([]any)
	if was && is && len(list) == len(other) {
		for i := range list {
			out = append(out, changed(fmt.Sprint(path, "|", i), list[i], other[i])...)
		}
		return out
	}
	if fmt.Sprint(a) == fmt.Sprint(b) {
		return nil
	}
	return []string{path}
}

// What a rollout writes into objects that come from git, sync and sweep must leave to it, and also when its record is
// lost: the Rollout tells it.
func TestRule18WhatARolloutWritesIsHeldByTheRolloutAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, short)
		said := map[manifest.ID]*unstructured.Unstructured{}
		for id, u := range s.memory.objects {
			said[id] = u.DeepCopy()
		}
		written := map[string]bool{}
		s.memory.watch = func(_, u *unstructured.Unstructured) {
			if u == nil || said[manifest.IDOf(u)] == nil {
				return
			}
			id := manifest.IDOf(u)
			may := held(s.memory.objects[web.id()], said[id], u)
			for _, part := range []string{"metadata|annotations", "metadata|labels", "spec"} {
				keys := strings.Split(part, "|")
				before, _, _ := unstructured.NestedFieldNoCopy(said[id].Object, keys...)
				after, _, _ := unstructured.NestedFieldNoCopy(u.Object, keys...)
				for _, path := range changed("|"+part, before, after) {
					written[id.Kind+path] = true
					if !may[path] && !strings.HasPrefix(path, "|spec|template|spec|containers") { // of a commit
						t.Errorf("%s: %s is written, and the Rollout does not hold it", id, path)
					}
				}
			}
		}
		s.start()
		s.staged(record.Healthy)
		s.commit("web:2")
		s.paused()
		s.must(s.Abort(t.Context(), web, "no"))
		s.staged(record.Aborted)
		s.commit("web:3")
		s.goOn()
		for _, path := range []string{"Service|spec|selector|" + hashLabel, "Service|metadata|annotations|" + mark, "HTTPRoute|spec|rules|0|backendRefs|0|weight", "HTTPRoute|metadata|annotations|" + mark, "Rollout|metadata|annotations|" + mark} {
			if !written[path] {
				t.Errorf("%s was never written: %v", path, written)
			}
		}
	})
}
