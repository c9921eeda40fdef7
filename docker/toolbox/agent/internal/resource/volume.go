package resource

import (
	"context"
	"encoding/json"
	"strconv"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/resource/loopvol"
)

// VolumeCreate is `volume.create`. The mode is a number, or its octal digits as text.
func (m *Manager) VolumeCreate(ctx context.Context, owner string, raw json.RawMessage) (map[string]any, error) {
	var args struct {
		Volume string          `json:"volume"`
		Bytes  int64           `json:"bytes"`
		UID    int             `json:"uid"`
		GID    int             `json:"gid"`
		Mode   json.RawMessage `json:"mode"`
	}
	if err := parse(raw, &args); err != nil {
		return nil, err
	}
	mode, err := parseMode(args.Mode)
	if err != nil {
		return nil, err
	}
	volume, err := m.volumes.Create(ctx, loopvol.Spec{Volume: args.Volume, Owner: owner, Bytes: args.Bytes, UID: args.UID, GID: args.GID, Mode: mode})
	if err != nil {
		return nil, coded(ctx, err)
	}
	return map[string]any{"device": volume.Device()}, nil
}

func parseMode(raw json.RawMessage) (uint32, error) {
	if len(raw) == 0 {
		return 0o755, nil
	}
	var number uint32
	if json.Unmarshal(raw, &number) == nil {
		return number, nil
	}
	var digits string
	if json.Unmarshal(raw, &digits) == nil {
		if mode, err := strconv.ParseUint(digits, 8, 12); err == nil {
			return uint32(mode), nil
		}
	}
	return 0, fail.New("bad_request", "mode: a number, or octal digits as text")
}

// VolumeRemove is `volume.remove`.
func (m *Manager) VolumeRemove(ctx context.Context, _ string, raw json.RawMessage) (map[string]any, error) {
	var args struct {
		Volume string `json:"volume"`
	}
	if err := parse(raw, &args); err != nil {
		return nil, err
	}
	if err := m.volumes.Remove(ctx, args.Volume); err != nil {
		return nil, coded(ctx, err)
	}
	return map[string]any{}, nil
}

// VolumeList is `volume.list`: every owner's.
func (m *Manager) VolumeList(ctx context.Context, _ string, _ json.RawMessage) (map[string]any, error) {
	volumes, err := m.volumes.List()
	if err != nil {
		return nil, coded(ctx, err)
	}
	list := make([]map[string]any, 0, len(volumes))
	for _, volume := range volumes {
		list = append(list, map[string]any{"volume": volume.Volume, "owner": volume.Owner, "device": volume.Device(), "bytes": volume.Bytes})
	}
	return map[string]any{"volumes": list}, nil
}

// Reattach gives volumes their devices again; call it once at the agent's start, before requests. Its error is to be told, not to be died of.
func (m *Manager) Reattach(ctx context.Context) error { return coded(ctx, m.volumes.Reattach(ctx)) }
