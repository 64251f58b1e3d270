package drive

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"slipway/infra"
	"slipway/internal/analysis"
	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/state"
	"slipway/internal/state/statetest"
	"slipway/internal/traffic"
	"slipway/internal/workflow"
	"slipway/internal/workflow/asl"
)

var update = flag.Bool("update", false, "write the golden files anew")

// scene is a cluster with its controllers, the state, the real state machine and a Drive.

type scene struct {
	*Drive
	t      testing.TB
	memory *memory
	stores state.Stores
	origin record.Origin // of the commits
	engine atomic.Pointer[asl.Engine]
	meter  *meter

	histories asl.Store

	started atomic.Int64 // calls of Start
	mute    atomic.Bool  // the engine cannot be reached
	every   atomic.Int64 // how long the cluster's controllers rest
	mu      sync.Mutex
	broken  map[string]bool // images whose pods do not get ready
	readyAt map[string]time.Time
	before  func(ctx context.Context, c Call) // called in each task before it does anything
	deaf    atomic.Bool                       // no events of ended executions arrive
}

func object(t testing.TB, text string) *unstructured.Unstructured {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return u
}

// meter answers with what the image under test deserves.
type meter struct {
	mu    sync.Mutex
	phase v1alpha1.AnalysisPhase
	took  time.Duration
}

func (m *meter) Measure(_ context.Context, _ *v1alpha1.AnalysisRun, due []string) ([]analysis.Taken, error) {
	m.mu.Lock()
	phase, took := m.phase, m.took
	m.mu.Unlock()
	start := metav1.Now()
	time.Sleep(took)
	done := metav1.Now()
	var out []analysis.Taken
	for _, name := range due {
		out = append(out, analysis.Taken{Metric: name, Measurement: v1alpha1.Measurement{Phase: phase, Value: "[1]", StartedAt: &start, FinishedAt: &done}})
	}
	return out, nil
}

func (m *meter) says(phase v1alpha1.AnalysisPhase) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.phase = phase
}

// newScene is a world in which the Rollout is not rolled out yet. It must be made in a bubble of synctest.
func newScene(t testing.TB, manifests string) *scene {
	s := &scene{
		t: t, memory: newMemory(), stores: statetest.Memory(), meter: &meter{phase: v1alpha1.AnalysisPhaseSuccessful},
		broken: map[string]bool{}, readyAt: map[string]time.Time{},
	}
	for _, text := range append(strings.Split(others, "\n---\n"), manifests) {
		if strings.TrimSpace(text) != "" {
			s.memory.put(nil, object(t, text))
		}
	}
	s.Drive = New(Deps{
		Rollouts: s.stores.Rollouts, Executions: executions{s},
		Ended: func(ctx context.Context, name string) (bool, error) {
			x, err := s.engine.Load().Describe(ctx, Machine, name)
			return x.Status != workflow.Running, err
		},
		Connect: func(context.Context, string) (Cluster, error) { return s.memory, nil },
		Meter:   func(context.Context, string) (Meter, error) { return s.meter, nil },
	})
	s.every.Store(int64(time.Second))
	s.histories = statetest.MemoryHistories()
	s.open()
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(func() {
		stop()
		if err := s.engine.Load().Close(); err != nil {
			t.Error(err)
		}
	})
	go func() {
		_ = sleep(ctx, time.Second/2) // beside the seconds at which the machine acts
		for sleep(ctx, time.Duration(s.every.Load())) == nil {
			s.controllers()
		}
	}()
	return s
}

// hook sets what is called in each task before it does anything.
func (s *scene) hook(before func(ctx context.Context, c Call)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = before
}

var errMute = fault.New(fault.Unavailable, "the engine cannot be reached")

// executions is the engine of the moment: a restart opens another one.
type executions struct{ s *scene }

func (e executions) Start(ctx context.Context, machine, name string, input json.RawMessage) error {
	e.s.started.Add(1)
	if e.s.mute.Load() {
		return errMute
	}
	return e.s.engine.Load().Start(ctx, machine, name, input)
}
func (e executions) Stop(ctx context.Context, machine, name, errorName, cause string) error {
	return e.s.engine.Load().Stop(ctx, machine, name, errorName, cause)
}
func (e executions) Succeed(ctx context.Context, token string, output json.RawMessage) error {
	if e.s.mute.Load() {
		return errMute
	}
	return e.s.engine.Load().Succeed(ctx, token, output)
}
func (e executions) Fail(ctx context.Context, token, errorName, cause string) error {
	if e.s.mute.Load() {
		return errMute
	}
	return e.s.engine.Load().Fail(ctx, token, errorName, cause)
}

// open runs the machines of infra, and goes on with what ran.
func (s *scene) open() {
	s.t.Helper()
	var machines []*asl.Machine
	for name, definition := range map[string][]byte{Machine: infra.Rollout, "rollout-control": infra.RolloutControl} {
		m, err := asl.Parse(name, definition, nil)
		if err != nil {
			s.t.Fatal(err)
		}
		machines = append(machines, m)
	}
	engine, err := asl.Open(context.Background(), s.histories, asl.Options{
		Machines: machines, Functions: map[string]workflow.Function{"rollout": s.function, "analysis": s.function}, Ended: s.ended,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.engine.Store(engine)
}

// function is both functions of the machines.
func (s *scene) function(ctx context.Context, input json.RawMessage) (json.RawMessage, error) {
	var in struct {
		Call
		Control *Control
	}
	if err := json.Unmarshal(input, &in); err != nil {
		return nil, err
	}
	if in.Control != nil {
		if err := s.Control(ctx, *in.Control); err != nil {
			return nil, err
		}
		return json.RawMessage(`"accepted"`), nil
	}
	s.mu.Lock()
	before := s.before
	s.mu.Unlock()
	if before != nil {
		before(ctx, in.Call)
	}
	out, err := s.Task(ctx, in.Call)
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

// ended is the EventBridge rule that calls the janitor.
func (s *scene) ended(ctx context.Context, x workflow.Execution) {
	if s.deaf.Load() || x.Machine != Machine || x.Status == workflow.Succeeded {
		return
	}
	var in State
	if err := json.Unmarshal(x.Input, &in); err != nil {
		s.t.Error(err)
		return
	}
	_ = s.Janitor(ctx, web, in.Fence) // what it cannot do the tick does
}

// commit applies an image, as a sync does, and calls Start.
func (s *scene) commit(image string) {
	s.t.Helper()
	s.apply(image)
	s.start()
}

func (s *scene) apply(image string) {
	s.memory.edit(web.id(), fmt.Sprintf(`{"spec":{"template":{"spec":{"containers":[{"name":"order-service","image":%q}]}}}}`, image))
}

func (s *scene) start() {
	s.t.Helper()
	if _, err := s.Start(context.Background(), "c", s.memory.live(web.id()), s.origin); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) tick() {
	s.t.Helper()
	if err := s.Tick(context.Background(), "c"); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) record() record.Rollout {
	s.t.Helper()
	rec, err := s.Rollouts.Get(context.Background(), web.String())
	if err != nil && !fault.Is(err, fault.NotFound) {
		s.t.Fatal(err)
	}
	return rec
}

// until waits for something, two hours at most.
func (s *scene) until(what string, is func() bool) {
	s.t.Helper()
	for range 2 * 3600 {
		synctest.Wait()
		if is() {
			return
		}
		time.Sleep(time.Second)
	}
	s.t.Fatalf("two hours later: not %s: %s token %+v\n%s", what, s.record().Stage, s.record().Token, s)
}

func (s *scene) staged(stage record.Stage) {
	s.t.Helper()
	s.until(string(stage), func() bool { return s.record().Stage == stage })
	synctest.Wait()
}

func (s *scene) paused() {
	s.t.Helper()
	s.until("paused", func() bool { return s.record().Token.Answer == record.Pending })
	synctest.Wait()
}

// path is the states that an execution has visited.
func (s *scene) path(execution string) string {
	s.t.Helper()
	history, err := s.engine.Load().History(context.Background(), Machine, execution)
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.Join(workflow.Path(history), " ")
}

// ends is how an execution has ended.
func (s *scene) ends(execution string) string {
	s.t.Helper()
	x, err := s.engine.Load().Describe(context.Background(), Machine, execution)
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s", x.Status, x.Error))
}

func (s *scene) status() v1alpha1.RolloutStatus {
	s.t.Helper()
	ro, err := decode(s.memory.live(web.id()))
	if err != nil {
		s.t.Fatal(err)
	}
	return ro.Status
}

// weight is the canary's, as the route has it.
func (s *scene) weight() int32 {
	s.t.Helper()
	gateway := traffic.Gateway{Stable: web.Name + "-stable", Canary: web.Name + "-canary", Namespace: web.Namespace}
	weight, _, _, err := gateway.Verify([]*unstructured.Unstructured{s.memory.live(web.of(routeKind, web.Name))})
	if err != nil {
		s.t.Fatal(err)
	}
	return weight
}

// String is the cluster for people.
func (s *scene) String() string {
	st := s.status()
	out := fmt.Sprintf("weight %d phase %s %q stable %s current %s;", s.weight(), st.Phase, st.Message, st.StableRS, st.CurrentPodHash)
	for _, name := range []string{"order-service-canary", "order-service-stable"} {
		selector, _, _ := unstructured.NestedStringMap(s.memory.live(web.of(serviceKind, name)).Object, "spec", "selector")
		out += fmt.Sprintf(" %s=%s", name, selector[hashLabel])
	}
	sets, _ := s.memory.All(context.Background(), setKind, web.Namespace, "")
	for _, rs := range sets {
		wanted, _, _ := unstructured.NestedInt64(rs.Object, "spec", "replicas")
		ready, _, _ := unstructured.NestedInt64(rs.Object, "status", "availableReplicas")
		out += fmt.Sprintf(" %s %d/%d", rs.GetName(), ready, wanted)
	}
	return out
}

// begun is a scene in which web:1 is stable.
func begun(t testing.TB, manifests string) *scene {
	t.Helper()
	s := newScene(t, manifests)
	s.start()
	s.staged(record.Healthy)
	return s
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file) //nolint:gosec // a file of the tests
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}
