package health

import (
	"encoding/json"
	"slices"
	"strings"
)

// service: health_service.go. Only a load balancer has something to wait for.
func service(o object) Status {
	if o.at("spec").text("type") == "LoadBalancer" {
		return ingress(o)
	}
	return Status{Code: Healthy}
}

// ingress: health_ingress.go. A controller that never writes its address leaves the ingress Progressing.
func ingress(o object) Status {
	if len(o.at("status", "loadBalancer").list("ingress")) == 0 {
		return Status{Progressing, "waiting for an address of the load balancer"}
	}
	return Status{Code: Healthy}
}

// volumeClaim: health_pvc.go.
func volumeClaim(o object) Status {
	switch o.at("status").text("phase") {
	case "Bound":
		return Status{Code: Healthy}
	case "Pending":
		return Status{Code: Progressing}
	case "Lost":
		return Status{Code: Degraded}
	}
	return Status{Code: Unknown}
}

// apiService: health_apiservice.go.
func apiService(o object) Status {
	c := o.condition("Available")
	if c == nil {
		return Status{Progressing, "waiting to be processed"}
	}
	s := Status{Progressing, strings.TrimPrefix(c.text("reason")+": "+c.text("message"), ": ")}
	if c.text("status") == "True" {
		s.Code = Healthy
	}
	return s
}

// scaleFailures are the reasons for which an autoscaler is Degraded (health_hpa.go), by the condition that has them.
var scaleFailures = map[string][]string{
	"AbleToScale": {"FailedGetScale", "FailedUpdateScale"},
	"ScalingActive": {
		"FailedGetResourceMetric", "FailedGetContainerResourceMetric", "FailedGetPodsMetric", "FailedGetObjectMetric",
		"FailedGetExternalMetric", "FailedComputeMetricsReplicas", "InvalidSelector",
	},
}

// autoscaler: health_hpa.go. A failure counts wherever it stands: an autoscaler that has its scale but not its metrics
// is Degraded. autoscaling/v1 keeps the conditions in an annotation.
func autoscaler(o object) Status {
	conditions := o.at("status").list("conditions")
	if note := o.at("metadata", "annotations").text("autoscaling.alpha.kubernetes.io/conditions"); note != "" && len(conditions) == 0 {
		if err := json.Unmarshal([]byte(note), &conditions); err != nil {
			return Status{Unknown, "its annotation with conditions is not JSON"}
		}
	}
	s := Status{Progressing, "waiting to autoscale"}
	for _, c := range conditions {
		kind := c.text("type")
		if slices.Contains(scaleFailures[kind], c.text("reason")) {
			return Status{Degraded, c.text("message")}
		}
		if s.Code != Healthy && (kind == "AbleToScale" || kind == "ScalingLimited") && c.text("status") == "True" {
			s = Status{Healthy, c.text("message")}
		}
	}
	return s
}

// workflow: health_argo.go, an Argo Workflow's phase.
func workflow(o object) Status {
	s := Status{Unknown, o.at("status").text("message")}
	switch o.at("status").text("phase") {
	case "", "Pending", "Running":
		s.Code = Progressing
	case "Succeeded":
		s.Code = Healthy
	case "Failed", "Error":
		s.Code = Degraded
	}
	return s
}
