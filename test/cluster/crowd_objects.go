package cluster

import (
	"fmt"
	"strings"
)

// crowdSize is how many objects each application of Crowd has.
const crowdSize = 10

// member is an object of Crowd and where it goes.
type member struct {
	path, resource string // "/apis/apps/v1", "deployments"
	object         map[string]any
}

type fields = map[string]any

// crowdOthers are what three of ten objects are, in turn.
var crowdOthers = []func(name string) member{
	func(string) member {
		return core("Secret", "secrets", fields{"type": "Opaque", "data": fields{"greeting": "aGVsbG8=", "user": "d2Vi"}})
	},
	func(string) member {
		return core("ServiceAccount", "serviceaccounts", fields{"automountServiceAccountToken": false})
	},
	func(name string) member {
		return in("networking.k8s.io/v1", "Ingress", "ingresses", fields{"spec": fields{
			"ingressClassName": "nginx",
			"rules": []any{fields{"host": name + ".example.com", "http": fields{"paths": []any{fields{
				"path": "/", "pathType": "Prefix",
				"backend": fields{"service": fields{"name": name, "port": fields{"name": "http"}}},
			}}}}},
		}})
	},
	func(name string) member {
		return in("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", fields{"spec": fields{
			"podSelector": fields{"matchLabels": fields{"app": name}}, "policyTypes": []any{"Ingress"},
			"ingress": []any{fields{"ports": []any{fields{"port": 8080, "protocol": "TCP"}}}},
		}})
	},
	func(name string) member {
		return in("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", fields{"spec": fields{
			"minAvailable": 1, "selector": fields{"matchLabels": fields{"app": name}},
		}})
	},
	func(string) member {
		return in("rbac.authorization.k8s.io/v1", "Role", "roles", fields{"rules": []any{
			fields{"apiGroups": []any{""}, "resources": []any{"configmaps"}, "verbs": []any{"get", "list"}},
		}})
	},
	func(name string) member {
		return in("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", fields{
			"roleRef":  fields{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
			"subjects": []any{fields{"kind": "ServiceAccount", "name": name}},
		})
	},
	func(name string) member {
		return in("batch/v1", "CronJob", "cronjobs", fields{"spec": fields{
			"schedule": "0 4 * * *", "suspend": true, "concurrencyPolicy": "Forbid",
			"jobTemplate": fields{"spec": fields{"template": podTemplate(name, fields{"restartPolicy": "Never"})}},
		}})
	},
	func(name string) member {
		return in("apps/v1", "StatefulSet", "statefulsets", fields{"spec": fields{
			"replicas": 0, "serviceName": name, "selector": fields{"matchLabels": fields{"app": name}},
			"template": podTemplate(name, nil),
		}})
	},
}

// crowdObject is the i-th object of Crowd.
func crowdObject(i int) member {
	application, place := i/crowdSize, i%crowdSize
	name := fmt.Sprintf("crowd-%05d-%d", application, place)
	m := crowdMember(name, application, place)
	m.object["metadata"] = fields{
		"name": name, "namespace": crowdSpace(application),
		"labels": fields{
			"app.kubernetes.io/name": "web", "app.kubernetes.io/instance": name, "app.kubernetes.io/version": "1.4.2",
			"app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "web-3.1.0",
		},
	}
	return m
}

func crowdMember(name string, application, place int) member {
	switch {
	case place < 3:
		return in("apps/v1", "Deployment", "deployments", fields{"spec": fields{
			"replicas": 0, "revisionHistoryLimit": 3, "selector": fields{"matchLabels": fields{"app": name}},
			"strategy": fields{"type": "RollingUpdate", "rollingUpdate": fields{"maxSurge": 1, "maxUnavailable": 0}},
			"template": podTemplate(name, fields{"serviceAccountName": "default", "terminationGracePeriodSeconds": 45}),
		}})
	case place < 5:
		return core("Service", "services", fields{"spec": fields{
			"selector": fields{"app": name},
			"ports": []any{
				fields{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"},
				fields{"name": "metrics", "port": 9090, "targetPort": "metrics", "protocol": "TCP"},
			},
		}})
	case place < 7:
		return core("ConfigMap", "configmaps", fields{"data": fields{
			"LOG_LEVEL": "info", "REGION": "eu-central-1", "app.properties": strings.Repeat("feature.enabled=true\n", 12),
		}})
	}
	return crowdOthers[(application*3+place)%len(crowdOthers)](name)
}

func podTemplate(name string, spec fields) fields {
	if spec == nil {
		spec = fields{}
	}
	spec["securityContext"] = fields{"runAsNonRoot": true, "fsGroup": 2000}
	spec["containers"] = []any{fields{
		"name": "web", "image": "registry.example.com/web:1.4.2", "imagePullPolicy": "IfNotPresent",
		"ports": []any{
			fields{"name": "http", "containerPort": 8080, "protocol": "TCP"},
			fields{"name": "metrics", "containerPort": 9090, "protocol": "TCP"},
		},
		"env":            []any{fields{"name": "LOG_LEVEL", "value": "info"}, fields{"name": "REGION", "value": "eu-central-1"}},
		"envFrom":        []any{fields{"configMapRef": fields{"name": name}}},
		"resources":      fields{"requests": fields{"cpu": "100m", "memory": "128Mi"}, "limits": fields{"memory": "256Mi"}},
		"livenessProbe":  fields{"httpGet": fields{"path": "/live", "port": "http"}, "periodSeconds": 10},
		"readinessProbe": fields{"httpGet": fields{"path": "/ready", "port": "http"}, "periodSeconds": 5},
		"volumeMounts":   []any{fields{"name": "config", "mountPath": "/etc/web"}},
	}}
	spec["volumes"] = []any{fields{"name": "config", "configMap": fields{"name": name}}}
	return fields{"metadata": fields{"labels": fields{"app": name}, "annotations": fields{"prometheus.io/scrape": "true"}}, "spec": spec}
}

func core(kind, resource string, object fields) member { return in("v1", kind, resource, object) }

func in(version, kind, resource string, object fields) member {
	path := "/apis/" + version
	if version == "v1" {
		path = "/api/v1"
	}
	object["apiVersion"], object["kind"] = version, kind
	return member{path, resource, object}
}
