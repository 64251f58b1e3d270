package main

import (
	"fmt"
	"maps"
	"slices"
)

// changed is the ConfigMap that pushes change, and the file it is in.
const (
	changedName = "settings-000"
	changedFile = "000-settings.yaml"
)

// application declares the folder apps/NAME of a repository as an Application.
func application(repository, name, namespace string) string {
	return fmt.Sprintf(`apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: %[2]s
  namespace: argocd
spec:
  project: default
  source:
    repoURL: %[1]s
    targetRevision: main
    path: apps/%[2]s
  destination:
    server: https://kubernetes.default.svc
    namespace: %[3]s
  syncPolicy:
    automated: {prune: true, selfHeal: true}
    syncOptions: [CreateNamespace=true]
`, host+repository, name, namespace)
}

// configMap is one whose value tells pushes apart.
func configMap(name, value string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: ConfigMap
metadata:
  name: %s
data:
  value: %q
  log.level: info
  feature.flags: "checkout,search,reviews"
`, name, value)
}

// objects is a folder of count manifests of five kinds, as a service has them; most are ConfigMaps.
func objects(count int) map[string]string {
	files := maps.Clone(service)
	for i := range count - len(service) {
		files[fmt.Sprintf("%03d-settings.yaml", i)] = configMap(fmt.Sprintf("settings-%03d", i), "first")
	}
	return files
}

// lay writes an Application and its folder into the tree.
func (t *tree) lay(name, namespace string, files map[string]string) error {
	if err := t.write("argocd/"+name+".yaml", application(t.repository, name, namespace)); err != nil {
		return err
	}
	for _, f := range slices.Sorted(maps.Keys(files)) {
		if err := t.write("apps/"+name+"/"+f, files[f]); err != nil {
			return err
		}
	}
	return nil
}

var service = map[string]string{ //nolint:gosec // the secret is none
	"account.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\n",
	"secret.yaml":  "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {token: not-a-secret}\n",
	"service.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}\n",
	"deployment.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      containers:
        - {name: web, image: "registry.example.com/web:1.0.0", ports: [{containerPort: 8080}]}
`,
}
