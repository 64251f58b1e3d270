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

// Transitions is what AWS charges for so far: every state that was entered and every retry of a task (Step Functions
// pricing: each time a step is executed, retries included). How long anything waits costs nothing.
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
