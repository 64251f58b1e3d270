package invoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/internal/fault"
)

// Invoker starts a function with an event and does not wait for its end: Lambda's invocation type Event, on a function
// without retries.
type Invoker interface {
	Invoke(ctx context.Context, event []byte) error
}

// dispatchTime is how long one invocation may take to be accepted, dispatchAtOnce how many are asked for at once: a few
// hundred clusters are done within the minute if half of them are refused only after dispatchTime.
const (
	dispatchTime   = 5 * time.Second
	dispatchAtOnce = 32
)

// Dispatch starts one run of drift a cluster.
type Dispatch struct {
	Clusters []string // names
	Drift    Invoker
}

// Run asks for all runs. A cluster whose run is not accepted keeps no other one waiting; the error counts and joins those.
func (d Dispatch) Run(ctx context.Context) error {
	failed := make([]error, len(d.Clusters))
	var g errgroup.Group
	g.SetLimit(dispatchAtOnce)
	for i, cluster := range d.Clusters {
		g.Go(func() error {
			failed[i] = d.one(ctx, cluster)
			return nil
		})
	}
	_ = g.Wait() // none of them fails
	failed = slices.DeleteFunc(failed, func(err error) bool { return err == nil })
	if len(failed) == 0 {
		return nil
	}
	return fmt.Errorf("start drift, %d of %d clusters: %w", len(failed), len(d.Clusters), errors.Join(failed...))
}

func (d Dispatch) one(ctx context.Context, cluster string) error {
	ctx, cancel := context.WithTimeout(ctx, dispatchTime)
	defer cancel()
	event, err := json.Marshal(Drift{Cluster: cluster})
	if err != nil {
		return fmt.Errorf("encode drift event: %w", err)
	}
	if err := d.Drift.Invoke(ctx, event); err != nil {
		return fmt.Errorf("cluster %s: %w", cluster, err)
	}
	return nil
}

// Drift is the event of the drift function: {"cluster": "NAME"}. How the cluster is looked at is the configuration's to
// say, so that whoever starts a run by hand cannot get it wrong.
type Drift struct {
	Cluster string `json:"cluster"` // as the configuration names it
}

// ParseDrift reads a drift event; Invalid if it is another thing.
func ParseDrift(event []byte) (Drift, error) {
	var e Drift
	if err := decode(event, "drift", &e); err != nil {
		return e, err
	}
	if e.Cluster == "" {
		return e, fault.New(fault.Invalid, "decode drift event: cluster is missing")
	}
	return e, nil
}
