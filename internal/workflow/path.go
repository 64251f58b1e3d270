package workflow

import "strings"

// Path is the names of the states that an execution has entered, in order: what is compared between engines.
func Path(history []Event) []string {
	var path []string
	for _, e := range history {
		if strings.HasSuffix(e.Type, "StateEntered") {
			path = append(path, e.State)
		}
	}
	return path
}

// Transitions is what AWS charges for so far: every state that was entered, every retry of a task, and the start
// (Step Functions pricing: a retry counts as a transition).
func Transitions(history []Event) int {
	n := 0
	scheduled := false
	for _, e := range history {
		switch {
		case strings.HasSuffix(e.Type, "StateEntered"):
			n, scheduled = n+1, false
		case e.Type == "TaskScheduled":
			if scheduled {
				n++
			}
			scheduled = true
		}
	}
	return n
}
