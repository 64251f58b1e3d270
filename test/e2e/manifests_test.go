//go:build cluster

package e2e

import (
	"fmt"
	"strings"

	"slipway/internal/local"
)

// known is what the process says of an application.
type known = local.Application

func there(known) bool { return true }

// configMap is one with these pairs of data.
func configMap(name string, pairs ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\ndata:\n", name)
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "  %q: %q\n", pairs[i], pairs[i+1])
	}
	return b.String()
}

// secret is one with a value as text.
func secret(name, key, value string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\nstringData:\n  %s: %q\n", name, key, value)
}

// deployment is one of a container with variables of the environment.
func deployment(name string, replicas int, image string, env ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `apiVersion: apps/v1
kind: Deployment
metadata:
  name: %[1]s
spec:
  replicas: %[2]d
  selector:
    matchLabels: {app: %[1]s}
  template:
    metadata:
      labels: {app: %[1]s}
    spec:
      containers:
        - name: app
          image: %[3]s
          ports:
            - {name: http, containerPort: 8080}
`, name, replicas, image)
	if len(env) > 0 {
		b.WriteString("          env:\n")
	}
	for i := 0; i < len(env); i += 2 {
		fmt.Fprintf(&b, "            - {name: %s, value: %q}\n", env[i], env[i+1])
	}
	return b.String()
}

func service(name string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Service
metadata:
  name: %[1]s
spec:
  selector: {app: %[1]s}
  ports:
    - {name: http, port: 80, targetPort: http}
`, name)
}

// chart is the head of a Helm chart.
func chart(name string) string {
	return fmt.Sprintf("apiVersion: v2\nname: %s\nversion: 0.1.0\n", name)
}
