package agent

import (
	"context"
	"encoding/json"
	"time"

	"subjectd/toolbox/internal/fail"
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

// process names a container's first process.
func (a *Agent) process(ctx context.Context, _ string, raw json.RawMessage) (any, error) {
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
	return map[string]any{"pid": t.PID, "start_ticks": t.StartTicks}, nil
}

// exit waits until a process that `measure.process` named has ended.
func (a *Agent) exit(ctx context.Context, _ string, raw json.RawMessage) (any, error) {
	args, err := rpc.Decode[struct {
		PID        int    `json:"pid"`
		StartTicks uint64 `json:"start_ticks"`
		WaitMs     int64  `json:"wait_ms"`
	}](raw)
	if err != nil {
		return nil, err
	}
	if args.PID <= 0 || args.WaitMs < 0 {
		return nil, fail.New("bad_request", "pid is above 0 and wait_ms not below")
	}
	begun := time.Now()
	limited, cancel := context.WithTimeout(ctx, time.Duration(args.WaitMs)*time.Millisecond)
	defer cancel()
	err = target.AwaitEnd(limited, args.PID, args.StartTicks)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return map[string]any{"ended": err == nil, "after_ms": time.Since(begun).Milliseconds()}, nil
}
