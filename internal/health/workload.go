package health

import "fmt"

// deployment: gitops-engine pkg/health/health_deployment.go.
func deployment(o object) Status {
	spec, status := o.at("spec"), o.at("status")
	if spec.flag("paused") {
		return Status{Suspended, "Deployment is paused"}
	}
	if !o.observed() {
		return unobserved
	}
	if o.condition("Progressing").text("reason") == "ProgressDeadlineExceeded" {
		return Status{Degraded, fmt.Sprintf("Deployment %q exceeded its progress deadline", o.at("metadata").text("name"))}
	}
	replicas, set := spec.number("replicas")
	total, updated, available := status.count("replicas"), status.count("updatedReplicas"), status.count("availableReplicas")
	switch {
	case set && updated < replicas:
		return Status{Progressing, fmt.Sprintf("%d of %d new replicas have been updated", updated, replicas)}
	case total > updated:
		return Status{Progressing, fmt.Sprintf("%d old replicas are pending termination", total-updated)}
	case available < updated:
		return Status{Progressing, fmt.Sprintf("%d of %d updated replicas are available", available, updated)}
	}
	return Status{Code: Healthy}
}

// statefulSet: health_statefulset.go. With rollingUpdate parameters the partition is all that is waited for.
func statefulSet(o object) Status {
	spec, status := o.at("spec"), o.at("status")
	if status.count("observedGeneration") == 0 || !o.observed() {
		return unobserved
	}
	replicas, set := spec.number("replicas")
	ready, updated := status.count("readyReplicas"), status.count("updatedReplicas")
	if set && ready < replicas {
		return Status{Progressing, fmt.Sprintf("%d of %d pods are ready", ready, replicas)}
	}
	strategy := spec.at("updateStrategy")
	switch rolling := strategy.at("rollingUpdate"); {
	case strategy.text("type") == "RollingUpdate" && rolling != nil:
		partition, partial := rolling.number("partition")
		if set && partial && updated < replicas-partition {
			return Status{Progressing, fmt.Sprintf("%d of %d pods behind the partition have been updated", updated, replicas-partition)}
		}
	case strategy.text("type") == "OnDelete":
	case status.text("updateRevision") != status.text("currentRevision"):
		return Status{Progressing, fmt.Sprintf("%d pods are at revision %s", updated, status.text("updateRevision"))}
	}
	return Status{Code: Healthy}
}

// daemonSet: health_daemonset.go.
func daemonSet(o object) Status {
	status := o.at("status")
	if !o.observed() {
		return unobserved
	}
	if o.at("spec", "updateStrategy").text("type") == "OnDelete" {
		return Status{Code: Healthy}
	}
	desired := status.count("desiredNumberScheduled")
	if updated := status.count("updatedNumberScheduled"); updated < desired {
		return Status{Progressing, fmt.Sprintf("%d of %d pods have been updated", updated, desired)}
	}
	if available := status.count("numberAvailable"); available < desired {
		return Status{Progressing, fmt.Sprintf("%d of %d pods are available", available, desired)}
	}
	return Status{Code: Healthy}
}

// replicaSet: health_replicaset.go.
func replicaSet(o object) Status {
	if !o.observed() {
		return unobserved
	}
	if c := o.condition("ReplicaFailure"); c.text("status") == "True" {
		return Status{Degraded, c.text("message")}
	}
	available := o.at("status").count("availableReplicas")
	if replicas, set := o.at("spec").number("replicas"); set && available < replicas {
		return Status{Progressing, fmt.Sprintf("%d of %d replicas are available", available, replicas)}
	}
	return Status{Code: Healthy}
}

// job: health_job.go, but for one thing: there a Job that was resumed (Suspended=False) is Healthy while it runs.
func job(o object) Status {
	if c := o.condition("Failed"); c != nil {
		return Status{Degraded, c.text("message")}
	}
	if c := o.condition("Suspended"); c.text("status") == "True" {
		return Status{Suspended, c.text("message")}
	}
	if c := o.condition("Complete"); c != nil {
		return Status{Healthy, c.text("message")}
	}
	return Status{Code: Progressing}
}
