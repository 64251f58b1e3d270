package kube

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"slipway/internal/fault"
)

func TestAnswersHaveTheirKind(t *testing.T) {
	for name, test := range map[string]struct {
		code            int
		reason, message string
		want            fault.Kind
		inFlight        bool
	}{
		"bad request":           {400, "BadRequest", "b3cause", fault.Invalid, false},
		"unauthorized":          {401, "Unauthorized", "b3cause", fault.Denied, false},
		"forbidden":             {403, "Forbidden", "b3cause", fault.Denied, false},
		"terminating namespace": {403, "Forbidden", `unable to create new content in namespace n because it is being terminated`, fault.Unavailable, false},
		"not found":             {404, "NotFound", "b3cause", fault.NotFound, false},
		"method not allowed":    {405, "MethodNotAllowed", "b3cause", fault.Invalid, false},
		"conflict":              {409, "Conflict", "b3cause", fault.Conflict, false},
		"already exists":        {409, "AlreadyExists", "b3cause", fault.Conflict, false},
		"gone":                  {410, "Expired", "b3cause", fault.Unavailable, false},
		"too large":             {413, "RequestEntityTooLarge", "b3cause", fault.Invalid, false},
		"media type":            {415, "UnsupportedMediaType", "b3cause", fault.Invalid, false},
		"unprocessable":         {422, "Invalid", "b3cause", fault.Invalid, false},
		"typed patch":           {500, "", "failed to create typed patch object (n/a; apps/v1, Kind=Deployment): errors:\n  duplicate", fault.Invalid, false},
		"conversion":            {500, "", "failed to convert new object (n/a; /v1, Kind=Secret) to proper version: unable to convert unstructured object to /v1, Kind=Secret: x", fault.Invalid, false},
		"conversion webhook":    {500, "", "failed to convert new object (n/a; x/v1, Kind=X) to proper version: conversion webhook for x failed: Post", fault.Unavailable, true},
		"internal error":        {500, "InternalError", "b3cause", fault.Unavailable, true},
		"bad gateway":           {502, "", "b3cause", fault.Unavailable, true},
		"unavailable":           {503, "ServiceUnavailable", "b3cause", fault.Unavailable, true},
		"timeout":               {504, "Timeout", "b3cause", fault.Unavailable, true},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := fake(t, func(w http.ResponseWriter, _ *http.Request) { status(w, test.code, test.reason, test.message) }, token)
			_, _, err := c.Apply(t.Context(), someObject("ConfigMap"), false)
			if !fault.Is(err, test.want) || fault.IsInFlight(err) != test.inFlight {
				t.Errorf("kind %v, in flight %v, want %v, %v", fault.Of(err), fault.IsInFlight(err), test.want, test.inFlight)
			}
			says(t, err, "apply ConfigMap n/a: "+strings.Join(strings.Fields(test.message), " "))
			_, _, err = c.Apply(t.Context(), someObject("Secret"), false)
			if !fault.Is(err, test.want) || strings.Contains(err.Error(), test.message) {
				t.Errorf("about a Secret: kind %v, %v", fault.Of(err), err)
			}
			says(t, err, "Secret n/a")
		})
	}
}

func TestAValueOfTheWrongTypeIsNotShown(t *testing.T) {
	c, _ := fake(t, func(w http.ResponseWriter, _ *http.Request) {
		status(w, http.StatusInternalServerError, "", "failed to create typed patch object (n/a; /v1, Kind=ConfigMap): errors:\n"+
			`  .data.a: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"b":"hunter2\n}"}}`+"\n  .data.c: expected string, got &value.valueUnstructured{Value:31337}")
	}, token)
	_, _, err := c.Apply(t.Context(), someObject("ConfigMap"), false)
	says(t, err, "errors: .data.a: expected string, got another type .data.c: expected string, got another type")
	if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "31337") {
		t.Error(err)
	}
}

func TestAProxysAnswerIsShownShort(t *testing.T) {
	c, _ := fake(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("<html>\x1b[31mno\n\n" + strings.Repeat("x", 10_000)))
	}, token)
	_, err := c.Get(t.Context(), aConfigMap)
	if !fault.Is(err, fault.Denied) || len(err.Error()) > 2200 || strings.ContainsAny(err.Error(), "\x1b\n") {
		t.Errorf("%v, %d bytes: %q", fault.Of(err), len(err.Error()), err)
	}
}

func TestTheWaitIsReadFromTheStatusToo(t *testing.T) {
	r := refusal(429, 0, []byte(`{"kind":"Status","message":"b3cause","details":{"retryAfterSeconds":3}}`))
	if r.after != 3*time.Second {
		t.Errorf("after is %s", r.after)
	}
	if r := refusal(503, 0, nil); r.message != "Service Unavailable" {
		t.Errorf("an empty answer says %q", r.message)
	}
}

func TestAKindThatIsUnknownIsToldFromAnObjectThatIsAbsent(t *testing.T) {
	c, a := fake(t, func(w http.ResponseWriter, _ *http.Request) { status(w, 404, "NotFound", `configmaps "a" not found`) }, token)
	_, err := c.Get(t.Context(), aConfigMap)
	var none *NoKind
	if !fault.Is(err, fault.NotFound) || errors.As(err, &none) {
		t.Error(err)
	}
	id := aConfigMap
	id.Group = "nope.example"
	before := a.asked.Load()
	_, err = c.Get(t.Context(), id)
	if !fault.Is(err, fault.NotFound) || !errors.As(err, &none) || a.asked.Load() != before {
		t.Error(err)
	}
}
