package local

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/infra"
	"slipway/internal/app"
	"slipway/internal/invoke/rolloutevent"
	"slipway/internal/kube"
	"slipway/internal/record"
	"slipway/internal/rollout/drive"
	"slipway/internal/workflow"
	"slipway/internal/workflow/asl"
)

// The functions that the state machines name; in one process they are one.
const (
	rolloutFunction  = "rollout"
	analysisFunction = "analysis"
)

// openRollouts opens the state machines, which go on with what ran when this folder's last process ended, and what drives
// them.
func (l *Local) openRollouts(ctx context.Context) error {
	var machines []*asl.Machine
	for name, definition := range map[string][]byte{drive.Machine: infra.Rollout, drive.Machine + "-control": infra.RolloutControl} {
		m, err := asl.Parse(name, definition, nil)
		if err != nil {
			return fmt.Errorf("load state machine %s: %w", name, err)
		}
		machines = append(machines, m)
	}
	var h rolloutevent.Handler
	opened := make(chan struct{}) // the engine calls while it is being opened, and then h is not there yet
	handle := func(ctx context.Context, event json.RawMessage) (json.RawMessage, error) {
		select {
		case <-opened:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		out, err := h.Handle(ctx, event)
		if err != nil {
			return nil, err // as it is: the machine knows it by its type
		}
		return json.Marshal(out)
	}
	engine, err := asl.Open(ctx, l.histories, asl.Options{
		Machines: machines, Functions: map[string]workflow.Function{rolloutFunction: handle, analysisFunction: handle},
		Ended: func(ctx context.Context, x workflow.Execution) {
			if event := endedEvent(x); event != nil {
				_, _ = handle(ctx, event) // it has logged its error, and the tick does what it could not
			}
		},
	})
	if err != nil {
		return fmt.Errorf("open workflows: %w", err)
	}
	l.closers = append(l.closers, func() { _ = engine.Close() }) // what halted it has been told
	go func() {
		<-engine.Done()
		if err := engine.Close(); err != nil {
			l.fail(fmt.Errorf("workflows: %w", err))
		}
	}()
	l.engine = engine
	l.rollouts = drive.New(drive.Deps{
		Rollouts: l.stores.Rollouts, Executions: engine,
		Ended: func(ctx context.Context, name string) (bool, error) {
			x, err := engine.Describe(ctx, drive.Machine, name)
			return x.Status != workflow.Running, err
		},
		Connect: func(_ context.Context, name string) (drive.Cluster, error) {
			c, err := l.connect(name)
			if err != nil {
				return nil, err
			}
			return c.Rollouts(), nil
		},
		Meter: newMeters(l.clusters, &l.connections).of, Patience: drive.Patience,
	})
	h = rolloutevent.Handler{Rollouts: l.rollouts, Log: l.log}
	close(opened)
	return nil
}

// connect reaches a cluster by the name that the configuration gives it.
func (l *Local) connect(name string) (*kube.Cluster, error) {
	c, err := app.Resolve(l.clusters, app.Destination{Name: name})
	if err != nil {
		return nil, err
	}
	return l.connections.For(c)
}

// endedEvent is what EventBridge would tell of an execution that has ended, for the rule of template.yaml: of a rollout,
// and not in order. Nil of others.
func endedEvent(x workflow.Execution) json.RawMessage {
	if x.Machine != drive.Machine || x.Status == workflow.Succeeded {
		return nil
	}
	event, err := json.Marshal(map[string]any{
		"detail-type": "Step Functions Execution Status Change",
		"detail":      map[string]string{"name": x.Name, "status": string(x.Status), "input": string(x.Input)},
	})
	if err != nil {
		return nil // strings: it cannot be
	}
	return event
}

// starter has the rollouts begin that syncs have applied.
type starter struct{ local *Local }

// Check implements deploy.Rollouts.
func (starter) Check(file string, u *unstructured.Unstructured) error { return drive.Check(file, u) }

// Start implements deploy.Rollouts.
func (s starter) Start(ctx context.Context, d app.Destination, u *unstructured.Unstructured, origin record.Origin) (bool, error) {
	c, err := app.Resolve(s.local.clusters, d)
	if err != nil {
		return false, err
	}
	return s.local.rollouts.Start(ctx, c.Name, u, origin)
}

// Reject implements deploy.Rollouts.
func (s starter) Reject(ctx context.Context, d app.Destination, u *unstructured.Unstructured) error {
	c, err := app.Resolve(s.local.clusters, d)
	if err != nil {
		return err
	}
	return s.local.rollouts.Reject(ctx, c.Name, u)
}
