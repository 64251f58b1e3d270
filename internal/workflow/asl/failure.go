package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"slipway/internal/workflow"
)

// The names that begin with States. are the interpreter's (Step Functions developer guide, "Handling errors").
const (
	nameAll        = "States.ALL"
	nameTaskFailed = "States.TaskFailed"
	nameTimeout    = "States.Timeout"
	nameHeartbeat  = "States.HeartbeatTimeout"
	nameRuntime    = "States.Runtime"
	nameTooLarge   = "States.DataLimitExceeded"
	nameResultPath = "States.ResultPathMatchFailure"
	nameIntrinsic  = "States.IntrinsicFailure"
	nameNoChoice   = "States.NoChoiceMatched"
)

// Failure is an error as states see it. A Function that returns one, unwrapped, decides both itself, as it can by
// aws-lambda-go's InvokeResponse_Error; of any other error the name is its type's and the cause is Lambda's JSON.
type Failure struct {
	Name, Cause string
	// heartbeat: AWS reports a missed heartbeat as States.Timeout (seen in a recorded history, LocalStack PR 10663)
	// and documents States.HeartbeatTimeout as what catches it.
	heartbeat bool
}

func (f *Failure) Error() string { return f.Name + ": " + f.Cause }

func failure(name, format string, args ...any) *Failure {
	return &Failure{Name: name, Cause: fmt.Sprintf(format, args...)}
}

// asFailure is err as a state sees it: what evaluating expressions returns has a name, all else is a bug.
func asFailure(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return failure(nameRuntime, "%s", err)
}

// matches says whether an ErrorEquals catches the failure. States.ALL and States.TaskFailed are wildcards; neither
// reaches States.Runtime and States.DataLimitExceeded, which nothing catches, and the second no timeout.
func (f *Failure) matches(names []string) bool {
	if f.Name == nameRuntime || f.Name == nameTooLarge {
		return false
	}
	for _, n := range names {
		switch n {
		case nameAll, f.Name:
			return true
		case nameTaskFailed:
			if f.Name != nameTimeout {
				return true
			}
		case nameHeartbeat:
			if f.heartbeat {
				return true
			}
		}
	}
	return false
}

// output is the error output that a catcher hands on. A timeout has no cause on AWS; the field is there all the same.
func (f *Failure) output() map[string]any { return map[string]any{"Error": f.Name, "Cause": f.Cause} }

// functionFailure names what a function returned: by the type of the outermost error, without its package and pointer
// (aws-lambda-go lambda/errors.go), so that a wrapped error misses its catcher here as it does there.
func functionFailure(err error) *Failure {
	if f, ok := err.(*Failure); ok { //nolint:errorlint // only unwrapped, as on Lambda
		return cut(f.Name, f.Cause)
	}
	return lambdaFailure(err, err.Error())
}

func lambdaFailure(what any, message string) *Failure {
	t := reflect.TypeOf(what)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	cause, err := json.Marshal(map[string]string{"errorMessage": message, "errorType": t.Name()})
	if err != nil {
		cause = []byte(message)
	}
	return cut(t.Name(), string(cause))
}

func cut(name, cause string) *Failure {
	return &Failure{Name: clip(name, workflow.MaxError), Cause: clip(cause, workflow.MaxCause)}
}

func clip(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most])
}

// call runs a function and turns a panic into the failure that Lambda reports: named by the type of what was thrown.
func call(ctx context.Context, f workflow.Function, input json.RawMessage) (output json.RawMessage, failed *Failure) {
	defer func() {
		if thrown := recover(); thrown != nil {
			output, failed = nil, lambdaFailure(thrown, strings.TrimSpace(fmt.Sprint(thrown)))
		}
	}()
	output, err := f(ctx, input)
	if err != nil {
		return nil, functionFailure(err)
	}
	if output == nil {
		output = json.RawMessage("null")
	}
	if !json.Valid(output) {
		return nil, failure("Runtime.MarshalError", "the function returned no JSON")
	}
	return output, nil
}
