package server

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/manifest"
)

// What others do here goes past Around, and is in neither Writes nor Requests: those are of the code under test.

// Create is somebody's POST of the content of u, in place of an object that may be there. It panics if u fits no schema.
func (s *Server) Create(by string, u *unstructured.Unstructured) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := manifest.IDOf(u)
	if s.objects[id] != nil {
		s.remove(id)
	}
	made, err := s.updated(nil, content(u), by)
	if err != nil {
		panic(err)
	}
	s.store(nil, made)
}

// Edit is somebody's update of an object, if it is there. Fields that change leave our entry and become theirs.
func (s *Server) Edit(id manifest.ID, by string, change func(object map[string]any)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.objects[id]
	if old == nil {
		return
	}
	u := old.DeepCopy()
	change(u.Object)
	edited, err := s.updated(old, u, by)
	if err != nil {
		panic(err)
	}
	s.store(old, edited)
}

// Drop is somebody's deletion of an object. What is not there, or is held by a finalizer, stays so.
func (s *Server) Drop(id manifest.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objects[id] != nil {
		s.remove(id)
	}
}

// Terminate is the deletion of an object that something still holds, such as dependents: it stays, with a
// deletionTimestamp, until it is dropped.
func (s *Server) Terminate(id manifest.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objects[id] != nil {
		s.terminate(id)
	}
}
