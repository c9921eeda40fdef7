package resource

import (
	"context"
	"time"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/resource/ballast"
	"subjectd/toolbox/internal/resource/cgroup"
	"subjectd/toolbox/internal/resource/helper"
	"subjectd/toolbox/internal/step"
	"subjectd/toolbox/internal/target"
)

func (m *Manager) applyBallast(ctx context.Context, t *target.Target, r step.Request) (map[string]any, error) {
	if err := running(t); err != nil {
		return nil, err
	}
	var args struct {
		Percent float64 `json:"percent"`
	}
	if err := parse(r.Raw, &args); err != nil {
		return nil, err
	}
	group, err := cgroup.Open(t.PID, t.ContainerID)
	if err != nil {
		return nil, err
	}
	// In version 2 the helper is in the whole group and would stand still with it.
	if dir, err := group.Controller("freezer"); err == nil && dir.Version == "v2" {
		if frozen, err := dir.Frozen(); err == nil && frozen {
			return nil, fail.New("conflict", "the container is frozen")
		}
	}
	id := key{r.Fault, t.ContainerID}
	m.drop(id)
	load, err := ballast.Take(ctx, t, group, r.Fault, args.Percent)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	m.ballasts[id] = load
	m.mu.Unlock()
	if ended := load.Ended(); ended != nil {
		go func() {
			<-ended
			m.forget(id, load)
		}()
	}
	return map[string]any{
		"mechanism": "cgroup_" + load.Version, "limit_bytes": load.Limit, "usage_bytes_before": load.Before,
		"usage_bytes_after": load.After, "ballast_bytes": load.Bytes,
	}, nil
}

// drop ends the ballast that this agent knows of.
func (m *Manager) drop(id key) {
	m.mu.Lock()
	load := m.ballasts[id]
	delete(m.ballasts, id)
	m.mu.Unlock()
	if load != nil {
		load.Release()
	}
}

// forget lets go of a ballast that has ended by itself, with its node.
func (m *Manager) forget(id key, load *ballast.Load) {
	m.mu.Lock()
	if m.ballasts[id] == load {
		delete(m.ballasts, id)
	}
	m.mu.Unlock()
	load.Release()
}

// undoBallast ends the fault's ballast; what no record knows of is found by its command line.
func (m *Manager) undoBallast(ctx context.Context, r step.Request) error {
	m.drop(key{r.Fault, r.ContainerID})
	for {
		left, err := ballasts(r.Fault, r.ContainerID)
		if err != nil {
			return fail.New("failed", "/proc: %v", err)
		}
		if len(left) == 0 {
			return nil
		}
		for _, each := range left {
			if err := each.Kill(); err != nil {
				return fail.New("failed", "ballast %d: %v", each.PID, err)
			}
			if err := target.AwaitEnd(ctx, each.PID, each.StartTicks); err != nil {
				return err
			}
		}
	}
}

// ballasts answers ballast processes of a fault and a container; an empty text is any.
func ballasts(fault, container string) ([]helper.Found, error) {
	all, err := helper.Find()
	if err != nil {
		return nil, err
	}
	var found []helper.Found
	for _, each := range all {
		if each.Words[1] == ballast.Verb && (fault == "" || each.Has(fault)) && (container == "" || each.Has(container)) {
			found = append(found, each)
		}
	}
	return found, nil
}

// measureLength reads `for_ms`: 10 ms to 60 s.
func measureLength(ms int64) (time.Duration, error) {
	if ms < 10 || ms > 60_000 {
		return 0, fail.New("bad_request", "for_ms: 10 to 60000")
	}
	return time.Duration(ms) * time.Millisecond, nil
}
