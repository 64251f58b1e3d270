package statetest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/record"
)

type memoryRollouts struct{ *memory }

func (m memoryRollouts) Get(ctx context.Context, rollout string) (r record.Rollout, err error) {
	err = m.locked(ctx, func() error { r, err = get[record.Rollout](m.rollouts, app.Name(rollout)); return err })
	return r, err
}

func (m memoryRollouts) Update(ctx context.Context, rollout string, change func(*record.Rollout) error) (after record.Rollout, err error) {
	err = m.locked(ctx, func() error {
		r, err := get[record.Rollout](m.rollouts, app.Name(rollout))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		r.Rollout = rollout
		if err := change(&r); err != nil {
			return err
		}
		data, err := json.Marshal(r)
		if err != nil {
			return err
		}
		m.rollouts[rollout] = data
		return json.Unmarshal(data, &after)
	})
	return after, err
}

func (m memoryRollouts) List(ctx context.Context, prefix string) (all []record.Rollout, err error) {
	err = m.locked(ctx, func() error { all, err = list[record.Rollout](m.rollouts); return err })
	return slices.DeleteFunc(all, func(r record.Rollout) bool { return !strings.HasPrefix(r.Rollout, prefix) }), err
}

func (m memoryRollouts) Delete(ctx context.Context, rollout string) error {
	return m.locked(ctx, func() error { delete(m.rollouts, rollout); return nil })
}
