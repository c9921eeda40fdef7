package resource

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"subjectd/toolbox/internal/resource/cgroup"
	"subjectd/toolbox/internal/resource/spin"
	"subjectd/toolbox/internal/target"
)

// Cgroup is `measure.cgroup`. With `cpu_percent` it also answers, as `cpu.ours`, what `cgroup.cpu` would write for that percentage, and changes nothing.
func (m *Manager) Cgroup(ctx context.Context, t *target.Target, raw json.RawMessage) (map[string]any, error) {
	facts, err := m.cgroup(t, raw)
	return facts, coded(ctx, err)
}

func (m *Manager) cgroup(t *target.Target, raw json.RawMessage) (map[string]any, error) {
	var args struct {
		CPUPercent *float64 `json:"cpu_percent"`
	}
	if err := parse(raw, &args); err != nil {
		return nil, err
	}
	if err := running(t); err != nil {
		return nil, err
	}
	group, err := cgroup.Open(t.PID, t.ContainerID)
	if err != nil {
		return nil, err
	}
	dir, err := group.Controller("cpu")
	if err != nil {
		return nil, err
	}
	now, err := dir.ReadQuota()
	if err != nil {
		return nil, err
	}
	allowance, cpus, err := group.Allowance()
	if err != nil {
		return nil, err
	}
	cpu := map[string]any{"file": dir.QuotaFile(), "value": now.Text(dir.Version), "quota_us": nil, "period_us": now.Period, "cpus": len(cpus), "allowance_cpus": allowance}
	if !math.IsInf(now.CPUs(), 1) {
		cpu["quota_us"] = now.Quota
	}
	if args.CPUPercent != nil {
		ours, err := cgroup.Lower(now, allowance, *args.CPUPercent)
		if err != nil {
			return nil, err
		}
		cpu["ours"] = ours.Text(dir.Version)
	}
	facts := map[string]any{"version": dir.Version, "cpu": cpu, "frozen": false}
	memoryDir, err := group.Controller("memory")
	if err != nil {
		return nil, err
	}
	memory, err := memoryDir.ReadMemory()
	if err != nil {
		return nil, err
	}
	facts["memory"] = map[string]any{"limit_bytes": memory.Limit, "usage_bytes": memory.WorkingSet, "charged_bytes": memory.Usage}
	freezer, err := group.Controller("freezer")
	if err != nil {
		return nil, err
	}
	facts["frozen"], err = freezer.Frozen()
	return facts, err
}

// CPU is `measure.cpu`.
func (m *Manager) CPU(ctx context.Context, t *target.Target, raw json.RawMessage) (map[string]any, error) {
	group, length, err := m.timed(t, raw)
	if err != nil {
		return nil, coded(ctx, err)
	}
	got, err := spin.Measure(ctx, group, length)
	if err != nil {
		if alive := running(t); alive != nil {
			err = alive
		}
		return nil, coded(ctx, err)
	}
	facts := map[string]any{
		"wall_ms": millis(got.Wall), "cpu_ms": millis(got.CPU), "throttled": got.Throttled.Times, "throttled_ms": float64(got.Throttled.Micros) / 1000,
		"host_idle_percent": math.Round(got.HostIdlePercent*10) / 10, "threads": got.Threads, "node_cpu_ms": nil,
	}
	if got.NodeCPU >= 0 {
		facts["node_cpu_ms"] = millis(got.NodeCPU)
	}
	return facts, nil
}

// Frozen is `measure.frozen`.
func (m *Manager) Frozen(ctx context.Context, t *target.Target, raw json.RawMessage) (map[string]any, error) {
	facts, err := m.frozen(ctx, t, raw)
	return facts, coded(ctx, err)
}

func (m *Manager) frozen(ctx context.Context, t *target.Target, raw json.RawMessage) (map[string]any, error) {
	group, length, err := m.timed(t, raw)
	if err != nil {
		return nil, err
	}
	freezer, err := group.Controller("freezer")
	if err != nil {
		return nil, err
	}
	before, err := group.UsageMicros()
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-t.Gone():
		return nil, running(nil)
	}
	after, err := group.UsageMicros()
	if err != nil {
		return nil, err
	}
	frozen, err := freezer.Frozen()
	if err != nil {
		return nil, err
	}
	return map[string]any{"frozen": frozen, "cpu_us": after - before}, nil
}

func (m *Manager) timed(t *target.Target, raw json.RawMessage) (*cgroup.Group, time.Duration, error) {
	var args struct {
		ForMS int64 `json:"for_ms"`
	}
	if err := parse(raw, &args); err != nil {
		return nil, 0, err
	}
	length, err := measureLength(args.ForMS)
	if err != nil {
		return nil, 0, err
	}
	if err := running(t); err != nil {
		return nil, 0, err
	}
	group, err := cgroup.Open(t.PID, t.ContainerID)
	return group, length, err
}

// Thaw lets a container go on by its freezer cgroup, without the engine; a container that is gone is no error.
func (m *Manager) Thaw(ctx context.Context, containerID string) error {
	return coded(ctx, cgroup.Thaw(ctx, containerID))
}

// Freeze freezes a container as the engine's runtime does. After a Thaw the engine still calls the container paused and refuses to unpause it ("container
// not paused"): frozen again, it can be unpaused through the engine.
func (m *Manager) Freeze(ctx context.Context, containerID string) error {
	return coded(ctx, cgroup.Freeze(ctx, containerID))
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
