package resource

import (
	"context"
	"encoding/json"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/resource/fill"
	"subjectd/toolbox/internal/step"
)

func (m *Manager) applyFill(ctx context.Context, r step.Request) (map[string]any, error) {
	var args struct {
		Volume string `json:"volume"`
		Name   string `json:"name"`
		Bytes  int64  `json:"bytes"`
	}
	if err := parse(r.Raw, &args); err != nil {
		return nil, err
	}
	if err := fill.CheckName(args.Name); err != nil {
		return nil, err
	}
	var before, after fill.Usage
	err := m.volumes.With(ctx, args.Volume, func(root int) (err error) {
		// A file of the same fault is part of what is there after, never of what was before.
		if err = fill.Delete(root, args.Name); err != nil {
			return err
		}
		if before, err = fill.ReadUsage(root); err != nil {
			return err
		}
		if err = fill.Write(ctx, root, args.Name, args.Bytes); err != nil {
			return err
		}
		after, err = fill.ReadUsage(root)
		return err
	})
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"mechanism": "loop_file", "used_bytes_before": before.Used, "used_bytes_after": after.Used,
		"available_bytes_after": after.Available, "total_bytes": after.Total,
	}, nil
}

func (m *Manager) undoFill(ctx context.Context, r step.Request) error {
	var args struct {
		Volume string `json:"volume"`
		Name   string `json:"name"`
	}
	if err := parse(r.Raw, &args); err != nil {
		return err
	}
	err := m.volumes.With(ctx, args.Volume, func(root int) error { return fill.Delete(root, args.Name) })
	if fail.Is(err, "gone") {
		return nil
	}
	return err
}

// Disk is `measure.disk`.
func (m *Manager) Disk(ctx context.Context, raw json.RawMessage) (map[string]any, error) {
	var args struct {
		Volume string `json:"volume"`
	}
	if err := parse(raw, &args); err != nil {
		return nil, err
	}
	var usage fill.Usage
	err := m.volumes.With(ctx, args.Volume, func(root int) (err error) {
		usage, err = fill.ReadUsage(root)
		return err
	})
	if err != nil {
		return nil, coded(ctx, err)
	}
	return map[string]any{"total_bytes": usage.Total, "used_bytes": usage.Used, "available_bytes": usage.Available}, nil
}
