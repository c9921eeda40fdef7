package agent

import (
	"context"
	"encoding/json"

	"subjectd/toolbox/internal/rpc"
	"subjectd/toolbox/internal/target"
)

// ofContainer makes an op of a measurement at one container's process. It holds up nothing else in that namespace.
func ofContainer(measure func(a *Agent, ctx context.Context, t *target.Target, args json.RawMessage) (any, error)) op {
	return func(a *Agent, ctx context.Context, _ string, raw json.RawMessage) (any, error) {
		args, err := rpc.Decode[struct {
			ContainerID string `json:"container_id"`
		}](raw)
		if err != nil {
			return nil, err
		}
		t, err := a.open(ctx, args.ContainerID)
		if err != nil {
			return nil, err
		}
		defer t.Close()
		return measure(a, ctx, t, raw)
	}
}

func (a *Agent) trains(ctx context.Context, _ string, raw json.RawMessage) (any, error) {
	return a.Network.Trains(ctx, func(id string) (*target.Target, error) { return a.open(ctx, id) }, raw)
}

func (a *Agent) flows(ctx context.Context, t *target.Target, args json.RawMessage) (any, error) {
	return a.Network.Flows(ctx, t, args)
}

func (a *Agent) counters(ctx context.Context, t *target.Target, args json.RawMessage) (any, error) {
	return a.Network.Counters(ctx, t, args)
}

func (a *Agent) cgroup(ctx context.Context, t *target.Target, args json.RawMessage) (any, error) {
	return a.Resource.Cgroup(ctx, t, args)
}

func (a *Agent) cpu(ctx context.Context, t *target.Target, args json.RawMessage) (any, error) {
	return a.Resource.CPU(ctx, t, args)
}

func (a *Agent) frozen(ctx context.Context, t *target.Target, args json.RawMessage) (any, error) {
	return a.Resource.Frozen(ctx, t, args)
}

func (a *Agent) disk(ctx context.Context, _ string, args json.RawMessage) (any, error) {
	return a.Resource.Disk(ctx, args)
}
