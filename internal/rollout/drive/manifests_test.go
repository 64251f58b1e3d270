package drive

import "fmt"

var web = Key{"c", "production", "order-service"}

// tutorial is the tutorial's Rollout, as it is there, with our label and its image as %s.
const tutorial = `
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: order-service
  namespace: production
  labels: {argo-rollouts.argoproj.io/controller-instance-id: slipway}
spec:
  replicas: 5
  strategy:
    canary:
      steps:
        - setWeight: 10
        - pause: {duration: 10m}
        - analysis:
            templates:
              - templateName: success-rate
        - setWeight: 30
        - pause: {duration: 10m}
        - setWeight: 60
        - pause: {duration: 10m}
        - setWeight: 100
      canaryService: order-service-canary
      stableService: order-service-stable
  selector:
    matchLabels:
      app: order-service
  template:
    metadata:
      labels:
        app: order-service
    spec:
      containers:
        - name: order-service
          image: %s
`

// routed is a Rollout with a router, whose steps are %[2]s.
const routed = `
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: order-service, namespace: production, labels: {argo-rollouts.argoproj.io/controller-instance-id: slipway}}
spec:
  replicas: 4
  strategy:
    canary:
      steps: %[2]s
      canaryService: order-service-canary
      stableService: order-service-stable
      trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: order-service}}}
  selector: {matchLabels: {app: order-service}}
  template: {metadata: {labels: {app: order-service}}, spec: {containers: [{name: order-service, image: %[1]s}]}}
`

const others = `
{apiVersion: v1, kind: Service, metadata: {name: order-service-canary, namespace: production}, spec: {selector: {app: order-service}}}
---
{apiVersion: v1, kind: Service, metadata: {name: order-service-stable, namespace: production}, spec: {selector: {app: order-service}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: order-service, namespace: production}
spec: {rules: [{backendRefs: [{name: order-service-stable, port: 80, weight: 100}, {name: order-service-canary, port: 80, weight: 0}]}]}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: success-rate, namespace: production}
spec:
  metrics:
    - name: success-rate
      interval: 1m
      successCondition: result[0] >= 0.99
      failureLimit: 3
      provider: {prometheus: {address: "http://prometheus:9090", query: rate}}
`

func steps(text string) string { return fmt.Sprintf(routed, "web:1", text) }
