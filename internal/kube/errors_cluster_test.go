//go:build cluster

package kube

import (
	"errors"
	"strings"
	"testing"

	"slipway/internal/fault"
)

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:1
`

func TestWhatTheServerRefusesIsInvalidAndSaysWhy(t *testing.T) {
	c, ns := connect(t), namespace(t)
	for name, test := range map[string]struct{ text, says string }{
		"an unknown field":           {deployment + "        imagee: web\n", "imagee"},
		"a field of another type":    {strings.Replace(deployment, "replicas: 0", "replicas: many", 1), "replicas"},
		"duplicate env names":        {deployment + "        env: [{name: A, value: '1'}, {name: A, value: '2'}]\n", `name="A"`},
		"a quantity that is none":    {deployment + "        resources: {limits: {cpu: lots}}\n", "quantities"},
		"a time that is none":        {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, creationTimestamp: yesterday}}", "yesterday"},
		"managed fields":             {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, managedFields: [{manager: x}]}}", "managedFields"},
		"a missing selector":         {strings.Replace(deployment, "  selector: {matchLabels: {app: web}}\n", "", 1), "selector"},
		"a name that is none":        {"{apiVersion: v1, kind: ConfigMap, metadata: {name: Not_A_Name}}", "Not_A_Name"},
		"a status of the wrong type": {deployment + "status: 7\n", "status"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, dry := range []bool{true, false} {
				_, _, err := c.Apply(t.Context(), object(t, ns, test.text), dry)
				mustBe(t, err, fault.Invalid)
				if fault.IsInFlight(err) {
					t.Errorf("in flight: %v", err)
				}
				if !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%q does not say %q on one line", err, test.says)
				}
			}
		})
	}
}

func TestErrorsAboutASecretNeverShowItsValues(t *testing.T) {
	c, ns := connect(t), namespace(t)
	const canary = "c4nary-v4lue"
	for name, text := range map[string]string{
		"stringData of an object":  "{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {k: {" + canary + ": x}}}",
		"data that is not base64":  "{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {k: '" + canary + "'}}",
		"data of a list":           "{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {k: [" + canary + "]}}",
		"an unknown field":         "{apiVersion: v1, kind: Secret, metadata: {name: s}, " + canary + ": x}",
		"a type with other fields": "{apiVersion: v1, kind: Secret, type: kubernetes.io/dockerconfigjson, metadata: {name: s}, stringData: {.dockerconfigjson: " + canary + "}}",
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := c.Apply(t.Context(), object(t, ns, text), false)
			mustBe(t, err, fault.Invalid)
			for e := err; e != nil; e = errors.Unwrap(e) {
				if strings.Contains(e.Error(), canary) {
					t.Errorf("the value is in %q", e)
				}
			}
			if !strings.Contains(err.Error(), "apply Secret "+ns+"/s: ") {
				t.Errorf("%q does not name the object", err)
			}
		})
	}
}

func TestKindsAndScopesThatDoNotFit(t *testing.T) {
	c, ns := connect(t), namespace(t)
	for name, test := range map[string]struct {
		text, says string
		kind       fault.Kind
	}{
		"no such kind":               {"{apiVersion: nope.example/v1, kind: Nope, metadata: {name: a, namespace: x}}", "has no kind Nope.nope.example", fault.NotFound},
		"no such version":            {"{apiVersion: apps/v1beta1, kind: Deployment, metadata: {name: a, namespace: x}}", "only in v1", fault.NotFound},
		"no namespace":               {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", "needs a namespace", fault.Invalid},
		"a namespace too many":       {"{apiVersion: v1, kind: Namespace, metadata: {name: a, namespace: x}}", "has no namespaces", fault.Invalid},
		"a path for a name":          {"{apiVersion: v1, kind: ConfigMap, metadata: {name: ../secrets/s, namespace: x}}", "is not a name", fault.Invalid},
		"a path for a namespace":     {"{apiVersion: v1, kind: ConfigMap, metadata: {name: s, namespace: x/secrets}}", "is not a namespace", fault.Invalid},
		"a namespace that is absent": {"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: absent-" + ns + "}}", "not found", fault.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := c.Apply(t.Context(), object(t, "", test.text), false)
			mustBe(t, err, test.kind)
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("%q does not say %q", err, test.says)
			}
			var none *NoKind
			if errors.As(err, &none) != strings.HasPrefix(name, "no such") {
				t.Errorf("is NoKind: %v", none != nil)
			}
		})
	}
}
