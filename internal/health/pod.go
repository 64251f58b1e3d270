package health

import (
	"fmt"
	"strings"
)

// finite on a pod says that it is not expected to end although it is not restarted (gitops-engine health_pod.go).
const finite = "argocd.argoproj.io/ignore-restart-policy"

// pod: health_pod.go. A pod that is not always restarted has a finite life, so running is not its end.
func pod(o object) Status {
	status, message := o.at("status"), o.at("status").text("message")
	always := o.at("spec").text("restartPolicy") == "Always"
	if always {
		if waiting := stuck(status.list("containerStatuses")); len(waiting) > 0 {
			return Status{Degraded, strings.Join(waiting, ", ")}
		}
	}
	switch status.text("phase") {
	case "Pending":
		return Status{Progressing, message}
	case "Succeeded":
		return Status{Healthy, message}
	case "Failed":
		if message == "" {
			message = failure(append(status.list("initContainerStatuses"), status.list("containerStatuses")...))
		}
		return Status{Degraded, message}
	case "Running":
		if _, set := o.at("metadata", "annotations")[finite]; !always && !set {
			return Status{Progressing, message}
		}
		if o.condition("Ready").text("status") == "True" {
			return Status{Healthy, message}
		}
		for _, c := range status.list("containerStatuses") {
			if c.at("lastState", "terminated") != nil {
				return Status{Degraded, message}
			}
		}
		return Status{Progressing, message}
	}
	return Status{Unknown, message}
}

// stuck is what containers wait for that will hardly come: ErrImagePull, CreateContainerConfigError, CrashLoopBackOff.
func stuck(containers []object) (messages []string) {
	for _, c := range containers {
		w := c.at("state", "waiting")
		r := w.text("reason")
		if strings.HasPrefix(r, "Err") || strings.HasSuffix(r, "Error") || strings.HasSuffix(r, "BackOff") {
			messages = append(messages, strings.TrimSuffix(r+": "+w.text("message"), ": "))
		}
	}
	return messages
}

// failure is why the first container that failed did.
func failure(containers []object) string {
	for _, c := range containers {
		t := c.at("state", "terminated")
		switch code := t.count("exitCode"); {
		case t.text("message") != "":
			return t.text("message")
		case t.text("reason") == "OOMKilled":
			return "OOMKilled"
		case code != 0:
			return fmt.Sprintf("container %q failed with exit code %d", c.text("name"), code)
		}
	}
	return ""
}
