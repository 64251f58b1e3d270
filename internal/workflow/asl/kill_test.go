package asl_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"slipway/internal/state/bolt"
	"slipway/internal/workflow"
	"slipway/internal/workflow/asl"
)

// count goes round twenty times: a task, a short wait, a choice.
const count = `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"add","Payload.$":"$"},"OutputPath":"$.Payload","Next":"W"},
"W":{"Type":"Wait","Seconds":1,"Next":"C"},"C":{"Type":"Choice","Choices":[{"Variable":"$","NumericLessThan":20,"Next":"T"}],"Default":"S"},"S":{"Type":"Succeed"}}}`

// engine opens count's machine over the state in dir; each call of its function is told before it returns.
func engine(t *testing.T, dir string, told func(n int)) (*asl.Engine, *bolt.Store) {
	t.Helper()
	s, err := bolt.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	m, err := asl.Parse("count", []byte(count), nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := asl.Open(t.Context(), s.Histories(), asl.Options{Machines: []*asl.Machine{m}, Speed: 100, Functions: map[string]workflow.Function{
		"add": func(_ context.Context, in json.RawMessage) (json.RawMessage, error) {
			var n int
			if err := json.Unmarshal(in, &n); err != nil {
				return nil, err
			}
			told(n)
			return json.Marshal(n + 1)
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return e, s
}

// An execution whose process is killed again and again takes the way of one that is not: a task that had been started
// may be called twice, none is left out, and no state is entered twice.
func TestAKilledProcessGoesOnWhereItWas(t *testing.T) {
	if os.Getenv("SLIPWAY_TEST_WORKFLOW") != "" {
		runUntilKilled(t)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	called := map[int]int{}
	for round := range 4 {
		child := exec.CommandContext(t.Context(), self, "-test.run=^TestAKilledProcessGoesOnWhereItWas$")
		child.Dir, child.Env = dir, append(os.Environ(), "SLIPWAY_TEST_WORKFLOW=here")
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for seen := 0; seen < 3+round && lines.Scan(); {
			var n int
			if _, err := fmt.Sscanf(lines.Text(), "called %d", &n); err == nil {
				called[n]++
				seen++
			}
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // killed
	}
	e, s := engine(t, dir, func(n int) { called[n]++ })
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		x, err := e.Describe(t.Context(), "count", "a")
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%+v, %v", x, err)
		}
		if x.Status != workflow.Running {
			break
		}
	}
	history, err := e.History(t.Context(), "count", "a")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(workflow.Path(history), " "), strings.Repeat("T W C ", 20)+"S"; got != want {
		t.Errorf("path %s", got)
	}
	for n := range 20 {
		if called[n] < 1 || called[n] > 5 {
			t.Errorf("step %d was called %d times", n, called[n])
		}
	}
}

func runUntilKilled(t *testing.T) {
	e, _ := engine(t, ".", func(n int) { fmt.Printf("called %d\n", n) })
	if err := e.Start(t.Context(), "count", "a", json.RawMessage("0")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute) // the parent kills it long before
}
