package kube

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// refused is an answer of another status than 2xx and 304. Redirects are not followed: credentials would go with them.
type refused struct {
	status  int
	reason  metav1.StatusReason
	message string // one line
	causes  []metav1.StatusCause
	after   time.Duration // Retry-After
}

func (r *refused) Error() string { return r.message }

// nowhere: the path is not served, so the kind went, or this version of it (apimachinery api/errors, apiserver's mux).
func (r *refused) nowhere() bool {
	return r.status == http.StatusNotFound &&
		(strings.Contains(r.message, "could not find the requested resource") || strings.HasPrefix(r.message, "404 page not found"))
}

// disrupts: a PodDisruptionBudget forbids an eviction (registry core/pod/storage/eviction.go). It is a 429 as throttling
// is.
func (r *refused) disrupts() bool {
	return r.status == http.StatusTooManyRequests &&
		slices.ContainsFunc(r.causes, func(c metav1.StatusCause) bool { return c.Type == policyv1.DisruptionBudgetCause })
}

// refusal reads the body of such an answer: a Status, or whatever a proxy says.
func refusal(status int, after time.Duration, body []byte) *refused {
	r := &refused{status: status, after: after}
	var s metav1.Status
	if err := json.Unmarshal(body, &s); err == nil && s.Kind == "Status" {
		r.reason, r.message = s.Reason, s.Message
		if s.Details != nil {
			r.causes = s.Details.Causes
			if r.after == 0 {
				r.after = time.Duration(s.Details.RetryAfterSeconds) * time.Second
			}
		}
	} else {
		r.message = string(body)
	}
	r.message = oneLine(patched.ReplaceAllString(dump.ReplaceAllString(r.message, "another type"), "patch"))
	if r.message == "" {
		r.message = http.StatusText(status)
	}
	return r
}

// dump is how structured-merge-diff says what it got instead of text or a map: as Go writes the whole value, which for a
// ConfigMap or an environment may be a password too (seen on 1.36.3).
var dump = regexp.MustCompile(`(?m)&value\.valueUnstructured\{.*$`)

// patched is how a patch that makes no sense is refused: with all of the object that it would have made, environment and
// all (apiserver endpoints/handlers/patch.go, seen on 1.36.3).
var patched = regexp.MustCompile(`patch: Invalid value: "(\\.|[^"\\])*"`)

// oneLine is a message cut, on one line, and without what a terminal would obey (security X7).
func oneLine(s string) string {
	return strings.Join(strings.Fields(manifest.CleanText(s, manifest.MaxReason)), " ")
}

// sort gives err, of send, its kind and text.
func (r request) sort(err error) error {
	var b *broken
	var s *refused
	switch {
	case errors.As(err, &s):
		return r.sortRefused(s)
	case errors.As(err, &b):
		err = fmt.Errorf("%s %s: %w", r.verb, r.what, b.err)
		if b.sent && r.writes() {
			err = fault.InFlight(err)
		}
		return fault.Wrap(fault.Unavailable, err)
	}
	return fmt.Errorf("%s %s: %w", r.verb, r.what, err)
}

func (r request) sortRefused(s *refused) error {
	kind := kindOf(s)
	err := fmt.Errorf("%s %s: %w", r.verb, r.what, r.shown(s))
	if kind == fault.Unavailable && r.writes() && s.status >= http.StatusInternalServerError {
		err = fault.InFlight(err) // etcd's timeout is answered so too, and the write may be there
	}
	return fault.Later(kind, s.after, err)
}

// shown is s as it may be shown. kube-apiserver 1.36.3 puts a Secret's bad stringData into its message as it is
// (CVE-2025-23216, security X2), so of a refusal that concerns a Secret only the reason is left.
func (r request) shown(s *refused) *refused {
	note := ""
	if r.about != nil {
		note = manifest.MaskError("", r.about)
	}
	if note == "" {
		return s
	}
	reason := string(s.reason)
	if reason == "" {
		reason = http.StatusText(s.status)
	}
	return &refused{status: s.status, reason: s.reason, after: s.after, message: fmt.Sprintf("%s (%d): %s", reason, s.status, oneLine(note))}
}

func kindOf(s *refused) fault.Kind {
	switch s.status {
	case http.StatusUnauthorized:
		return fault.Denied
	case http.StatusForbidden:
		for _, c := range s.causes { // core/v1 NamespaceTerminatingCause: over when the namespace is gone
			if c.Type == "NamespaceTerminating" {
				return fault.Unavailable
			}
		}
		if strings.Contains(s.message, "because it is being terminated") {
			return fault.Unavailable
		}
		return fault.Denied
	case http.StatusNotFound:
		return fault.NotFound
	case http.StatusConflict:
		return fault.Conflict
	case http.StatusUnprocessableEntity:
		for _, c := range s.causes { // only we send a uid; another one that meets the right resourceVersion ends here
			if c.Field == "metadata.uid" {
				return fault.Conflict
			}
		}
	case http.StatusTooManyRequests, http.StatusRequestTimeout, http.StatusGone:
		if s.disrupts() {
			return fault.Busy
		}
		return fault.Unavailable
	}
	if s.status < http.StatusInternalServerError || typed(s) {
		return fault.Invalid
	}
	return fault.Unavailable
}

// typed: apply's refusals of a schema come as a 500 without a reason, and sending them again never helps (seen on 1.36.3):
// an unknown field or a duplicate env name as "failed to create typed patch object", a bad quantity, time or base64 as
// "failed to convert new object". A conversion webhook that is down says the latter too, but in other words.
func typed(s *refused) bool {
	return s.status == http.StatusInternalServerError &&
		(strings.Contains(s.message, "failed to create typed patch object") ||
			strings.Contains(s.message, "failed to create typed live object") ||
			strings.Contains(s.message, "unable to convert unstructured object to"))
}

// NoKind says that the cluster does not know a kind. It comes as fault.NotFound, like an object that is not there, and
// is told from it by errors.As.
type NoKind struct {
	Cluster, Kind, Version string
	Served                 []string // versions in which the kind is known
}

func (n *NoKind) Error() string {
	if len(n.Served) > 0 {
		return fmt.Sprintf("cluster %s does not serve %s in version %s, only in %s", n.Cluster, n.Kind, n.Version, strings.Join(n.Served, ", "))
	}
	return fmt.Sprintf("cluster %s has no kind %s", n.Cluster, n.Kind)
}
