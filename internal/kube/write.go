package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/net"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// Apply sends u by server-side apply: manager slipway, force, strict validation. It returns the object as it is then
// and the API's warnings. What u says of uid and resourceVersion decides (protocol.md rule 12, measured on 1.36.3):
//   - uid and resourceVersion: that very object in that state, else fault.Conflict; one that is gone stays gone;
//   - resourceVersion "1" and no uid: create, fault.Conflict if it exists. Never POST: that leaves an Update entry under
//     our name, and a field removed later would live for ever;
//   - neither: whatever is there.
//
// An apply that changes nothing leaves the resourceVersion as it is. dryRun goes through admission and writes nothing.
func (c *Cluster) Apply(ctx context.Context, u *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, []string, error) {
	id := manifest.IDOf(u)
	verb := "apply"
	if dryRun {
		verb = "dry-run apply"
	}
	r, _, err := c.object(ctx, verb, http.MethodPatch, id, u.GroupVersionKind().Version)
	if err != nil {
		return nil, nil, err
	}
	r.about = u
	body, err := json.Marshal(u.Object)
	if err != nil {
		return nil, nil, fault.New(fault.Invalid, "%s %s: it cannot be written as JSON", verb, id)
	}
	r.body, r.content = yamlSafe(body), string(types.ApplyPatchType)
	r.query = url.Values{
		"fieldManager": {manifest.Manager}, "force": {"true"}, "fieldValidation": {metav1.FieldValidationStrict},
	}
	if r.dry = dryRun; dryRun {
		r.query.Set("dryRun", metav1.DryRunAll)
	}
	a, err := c.call(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	live, err := decodeObject(r, a)
	if err != nil {
		if !dryRun {
			err = fault.InFlight(err) // it was done, but nobody can say with which result
		}
		return nil, nil, err
	}
	return live, warnings(a.header, u), nil
}

// yamlSafe escapes the characters that JSON allows in a string and YAML does not: the server reads an apply as YAML and
// would answer 400 to a ConfigMap with a byte order mark or DEL in it.
func yamlSafe(body []byte) []byte {
	var b strings.Builder
	from := 0
	for i, r := range string(body) {
		if r == 0x7f || r > 0x7f && r < 0xa0 || r == 0xfeff || r == 0xfffe || r == 0xffff {
			b.Write(body[from:i])
			fmt.Fprintf(&b, `\u%04x`, r)
			from = i + utf8.RuneLen(r)
		}
	}
	if from == 0 {
		return body
	}
	b.Write(body[from:])
	return []byte(b.String())
}

func warnings(h http.Header, u *unstructured.Unstructured) []string {
	parsed, _ := net.ParseWarningHeaders(h["Warning"])
	var texts []string
	for _, w := range parsed {
		texts = append(texts, oneLine(manifest.MaskError(w.Text, u)))
	}
	return texts
}

// Delete removes that very object in that state, dependents first as Argo CD does (foreground, argo-cd.md 2.4); with
// finalizers it stays for a while with a deletionTimestamp. Another uid or resourceVersion is fault.Conflict. One that
// is gone is no error.
func (c *Cluster) Delete(ctx context.Context, id manifest.ID, uid types.UID, resourceVersion string) error {
	return c.remove(ctx, id, uid, resourceVersion, metav1.DeletePropagationForeground)
}

func (c *Cluster) remove(ctx context.Context, id manifest.ID, uid types.UID, resourceVersion string, dependents metav1.DeletionPropagation) error {
	if uid == "" || resourceVersion == "" {
		return fault.New(fault.Internal, "delete %s: without uid and resourceVersion", id)
	}
	r, _, err := c.object(ctx, "delete", http.MethodDelete, id, "")
	if unknown(err) {
		return nil // gone with its kind
	}
	if err != nil {
		return err
	}
	r.body, err = json.Marshal(metav1.DeleteOptions{
		TypeMeta:          metav1.TypeMeta{APIVersion: "v1", Kind: "DeleteOptions"},
		Preconditions:     &metav1.Preconditions{UID: &uid, ResourceVersion: &resourceVersion},
		PropagationPolicy: &dependents,
	})
	if err != nil {
		return fmt.Errorf("delete %s: %w", id, err)
	}
	r.content = acceptJSON
	_, err = c.call(ctx, r)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}
