package resource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/residue"
	"subjectd/toolbox/internal/resource/ballast"
	"subjectd/toolbox/internal/resource/cgroup"
	"subjectd/toolbox/internal/resource/fill"
	"subjectd/toolbox/internal/target"
)

// Residue answers what is left of a fault, or with an empty text of any. For a container: quotas that still hold what we wrote, and ballast. Without
// one: ballast of containers that are gone, and fill files in all volumes.
func (m *Manager) Residue(ctx context.Context, t *target.Target, fault string) ([]residue.Item, error) {
	var left []residue.Item
	var failed []error
	if t == nil {
		files, err := m.fills(ctx, fault)
		left, failed = append(left, files...), append(failed, err)
	} else {
		left = append(left, m.lowered(t.ContainerID, fault)...)
	}
	held, err := m.held(t, fault)
	left, failed = append(left, held...), append(failed, err)
	residue.Sort(left)
	return left, coded(ctx, errors.Join(failed...))
}

func (m *Manager) held(t *target.Target, fault string) ([]residue.Item, error) {
	container := ""
	if t != nil {
		container = t.ContainerID
	}
	found, err := ballasts(fault, container)
	if err != nil {
		return nil, fail.New("failed", "/proc: %v", err)
	}
	var left []residue.Item
	for _, each := range found {
		item := residue.Item{What: "ballast: " + each.Text(), Name: "ballast", InForce: true}
		item.Fault, item.Container = ballast.OwnerOf(each.Words[1:])
		left = append(left, item)
	}
	return left, nil
}

func (m *Manager) lowered(container, fault string) []residue.Item {
	m.mu.Lock()
	defer m.mu.Unlock()
	var left []residue.Item
	for id, each := range m.quotas {
		if id.container == container && (fault == "" || id.fault == fault) {
			if what := each.lowered(id.fault, container); what != "" {
				left = append(left, residue.Plain(id.fault, what))
			}
		}
	}
	return left
}

// Lowered says that the quota of an undo step (`cgroup.restore`) still holds what was written for a fault; empty: it does not, or the step names none.
func Lowered(fault, container string, undo json.RawMessage) string {
	var args struct {
		File   string `json:"file"`
		Before string `json:"before"`
		Ours   string `json:"ours"`
	}
	if json.Unmarshal(undo, &args) != nil || args.File == "" {
		return ""
	}
	return quota{args.File, args.Before, args.Ours}.lowered(fault, container)
}

func (q quota) lowered(fault, container string) string {
	if !cgroup.StillHolds(q.file, container, q.before, q.ours) {
		return ""
	}
	return fmt.Sprintf("cpu quota of %s: %s still holds %s", fault, q.file, q.ours)
}

func (m *Manager) fills(ctx context.Context, fault string) ([]residue.Item, error) {
	volumes, err := m.volumes.List()
	if err != nil {
		return nil, err
	}
	var left []residue.Item
	var failed []error
	for _, volume := range volumes {
		err := m.volumes.With(ctx, volume.Volume, func(root int) error {
			names, err := fill.List(root, fault)
			for _, name := range names {
				item := residue.Plain(residue.FaultIn(name), fmt.Sprintf("fill file %s in volume %s", name, volume.Volume))
				item.Volume, item.File = volume.Volume, name
				left = append(left, item)
			}
			return err
		})
		if err != nil && !fail.Is(err, "gone") {
			failed = append(failed, fmt.Errorf("volume %s: %w", volume.Volume, err))
		}
	}
	return left, errors.Join(failed...)
}
