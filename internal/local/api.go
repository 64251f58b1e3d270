package local

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"

	"slipway/internal/app"
	"slipway/internal/drift"
	"slipway/internal/fault"
	"slipway/internal/record"
)

// Application is one application as clients see it: what is declared and what is known of it.
type Application struct {
	app.Registered
	Name   app.Name        `json:"name"`
	Status string          `json:"status"` // Synced, OutOfSync, Unknown
	Last   *record.Run     `json:"last,omitempty"`
	Record record.Record   `json:"record"`
	Drift  []drift.Finding `json:"drift,omitempty"`
	// Rollouts are those whose revision came with a commit of the application; only for one application.
	Rollouts []record.Rollout `json:"rollouts,omitempty"`
}

// api answers the command-line client. Every request shows the folder's API secret: the port is open to every user of
// the machine and, through a browser, to every page.
func (l *Local) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/applications", func(w http.ResponseWriter, r *http.Request) { answer(w)(l.applications(r.Context())) })
	mux.HandleFunc("GET /v1/applications/{namespace}/{name}", func(w http.ResponseWriter, r *http.Request) {
		answer(w)(l.application(r.Context(), nameOf(r)))
	})
	mux.HandleFunc("GET /v1/applications/{namespace}/{name}/resources", func(w http.ResponseWriter, r *http.Request) {
		answer(w)(l.deploy.Resources(r.Context(), nameOf(r)))
	})
	mux.HandleFunc("GET /v1/applications/{namespace}/{name}/diff", func(w http.ResponseWriter, r *http.Request) {
		answer(w)(l.deploy.Diff(r.Context(), nameOf(r)))
	})
	mux.HandleFunc("POST /v1/applications/{namespace}/{name}/sync", func(w http.ResponseWriter, r *http.Request) {
		answer(w)(l.requestSync(r.Context(), nameOf(r)))
	})
	mux.HandleFunc("POST /v1/sweep", func(w http.ResponseWriter, r *http.Request) {
		answer(w)(l.sweep(r.Context(), r.URL.Query().Get("cluster")))
	})
	l.rolloutRoutes(mux)
	want := sha256.Sum256([]byte("Bearer " + l.keys.API))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := sha256.Sum256([]byte(r.Header.Get("Authorization")))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			http.Error(w, `{"error":"unauthorized"}`, http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func nameOf(r *http.Request) app.Name {
	return app.Name(r.PathValue("namespace") + "/" + r.PathValue("name"))
}

// failed is the body of every answer that is no success.
type failed struct {
	Error string `json:"error"`
	Kind  string `json:"kind"`
}

func answer(w http.ResponseWriter) func(v any, err error) {
	return func(v any, err error) {
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			w.WriteHeader(statusOf(fault.Of(err)))
			v = failed{Error: strings.TrimSpace(err.Error()), Kind: fault.Of(err).String()}
		}
		_ = json.NewEncoder(w).Encode(v) // the client went away: nobody to tell
	}
}

func statusOf(k fault.Kind) int {
	switch k {
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict, fault.Busy, fault.Superseded, fault.Unfinished:
		return http.StatusConflict
	case fault.Denied:
		return http.StatusForbidden
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Internal:
	}
	return http.StatusInternalServerError
}
