package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

const (
	establishTime = 30 * time.Second
	recallTime    = time.Minute // discovery has caught up by then
)

type learnedKind struct {
	versions []served
	at       time.Time
}

// definition is what is read of a CustomResourceDefinition.
type definition struct {
	Spec struct {
		Group string `json:"group"`
		Scope string `json:"scope"`
		Names struct {
			Plural string `json:"plural"`
			Kind   string `json:"kind"`
		} `json:"names"`
		Versions []struct {
			Name   string `json:"name"`
			Served bool   `json:"served"`
		} `json:"versions"`
	} `json:"spec"`
	Status struct {
		Conditions []struct {
			Type    string `json:"type"`
			Status  string `json:"status"`
			Message string `json:"message"`
		} `json:"conditions"`
	} `json:"status"`
}

func (d definition) condition(kind string) (status, message string) {
	for _, c := range d.Status.Conditions {
		if c.Type == kind {
			return c.Status, c.Message
		}
	}
	return "", ""
}

// Established waits until the CRD is established and its kind answers, at most 30 s, and from then on the kind is known
// here, also while discovery does not show it yet. Names that another CRD has are fault.Invalid, time over
// fault.Unavailable.
func (c *Cluster) Established(ctx context.Context, crd string) error {
	ctx, cancel := context.WithTimeout(ctx, establishTime)
	defer cancel()
	id := manifest.ID{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition", Name: crd}
	r, _, err := c.object(ctx, "wait for", http.MethodGet, id, "v1")
	if err != nil {
		return err
	}
	return poll(ctx, "wait for "+id.String(), func() (string, error) {
		a, err := c.call(ctx, r)
		if err != nil {
			return err.Error(), permanent(err)
		}
		var d definition
		if err := json.Unmarshal(a.body, &d); err != nil {
			return "", fault.Wrap(fault.Unavailable, fmt.Errorf("wait for %s: decode answer: %w", id, err))
		}
		if status, message := d.condition("NamesAccepted"); status == "False" {
			return "", fault.New(fault.Invalid, "wait for %s: its names are not accepted: %s", id, oneLine(message))
		}
		if status, _ := d.condition("Established"); status != "True" {
			return "it is not established yet", nil
		}
		return c.learn(ctx, d)
	})
}

// learn asks the new kind for an object, since its handler starts a moment after the condition is true, and then
// remembers it. It returns why not yet.
func (c *Cluster) learn(ctx context.Context, d definition) (string, error) {
	var versions []served
	for _, v := range d.Spec.Versions {
		if v.Served {
			versions = append(versions, served{version: v.Name, resource: d.Spec.Names.Plural, namespaced: d.Spec.Scope == "Namespaced"})
		}
	}
	for _, v := range versions {
		_, err := c.call(ctx, request{
			verb: "list", what: d.Spec.Names.Plural + "." + d.Spec.Group, method: http.MethodGet,
			path: collection(d.Spec.Group, v, ""), query: url.Values{"limit": {"1"}}, accept: acceptMetadataList,
		})
		if gone(err) {
			return "its kind is not served yet", nil
		}
		if err != nil && !fault.Is(err, fault.Denied) { // denied is answered too
			return err.Error(), permanent(err)
		}
	}
	c.learnMu.Lock()
	defer c.learnMu.Unlock()
	c.learned[schema.GroupKind{Group: d.Spec.Group, Kind: d.Spec.Names.Kind}] = learnedKind{versions: versions, at: time.Now()}
	return "", nil
}

// recall is what learn remembers of a kind.
func (c *Cluster) recall(gk schema.GroupKind) []served {
	c.learnMu.Lock()
	defer c.learnMu.Unlock()
	l := c.learned[gk]
	if time.Since(l.at) > recallTime {
		delete(c.learned, gk)
		return nil
	}
	return l.versions
}

// permanent is err unless waiting may help.
func permanent(err error) error {
	if fault.Is(err, fault.Unavailable) {
		return nil
	}
	return err
}

// poll calls f until it gives no reason to wait or an error: after 25 ms, then less and less often, at most every
// second. When ctx ends the last reason is in the error, fault.Unavailable.
func poll(ctx context.Context, doing string, f func() (wait string, err error)) error {
	for pause := 25 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		reason, err := f()
		if err != nil || reason == "" {
			return err
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return fault.New(fault.Unavailable, "%s: %s: %w", doing, reason, ctx.Err())
		}
	}
}
