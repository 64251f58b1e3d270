package counted

// Delivered is what an application has whose workload a Rollout drives: two Services, and a route that divides between them.
const Delivered = `
apiVersion: v1
kind: Service
metadata: {name: stable}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: canary}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  rules:
  - matches: [{path: {value: /}}]
    backendRefs: [{name: stable, port: 80, weight: 100}, {name: canary, port: 80, weight: 0}]
`

// Canaried is that Rollout.
const Canaried = `
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "nginx:1"}]}}
  strategy: {canary: {stableService: stable, canaryService: canary, trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: web}}}}}
`
