package agent

import (
	"context"
	"encoding/json"
	"slices"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/records"
	"subjectd/toolbox/internal/residue"
	"subjectd/toolbox/internal/resource"
	"subjectd/toolbox/internal/rpc"
	"subjectd/toolbox/internal/target"
)

// residue is what is left of a fault (empty: of any) in a namespace, or without a target outside of all.
func (a *Agent) residue(ctx context.Context, t *target.Target, fault string) ([]residue.Item, error) {
	all := []residue.Item{}
	err := a.within(ctx, t, func() error {
		if t != nil {
			found, err := a.Network.Residue(ctx, t, fault)
			if err != nil {
				return err
			}
			all = append(all, found...)
		}
		found, err := a.Resource.Residue(ctx, t, fault)
		all = append(all, found...)
		for _, quota := range a.quotasOnRecord(t, fault) {
			if !slices.Contains(all, quota) {
				all = append(all, quota)
			}
		}
		return err
	})
	return all, err
}

// quotasOnRecord are those that are still lowered, by the undo steps on record: what an agent that ended knew of the quotas it wrote went with it.
func (a *Agent) quotasOnRecord(t *target.Target, fault string) []residue.Item {
	if t == nil {
		return nil
	}
	var all []residue.Item
	for _, r := range a.Store.All() {
		if fault != "" && r.Fault != fault {
			continue
		}
		for _, raw := range r.Undo {
			step, err := parseStep(raw)
			if err != nil || step.Op != "cgroup.restore" || step.ContainerID != t.ContainerID {
				continue
			}
			if what := resource.Lowered(r.Fault, t.ContainerID, step.Raw); what != "" {
				all = append(all, residue.Plain(r.Fault, what))
			}
		}
	}
	return all
}

type left struct {
	ContainerID string `json:"container_id"`
	residue.Item
}

// audit looks for what is left of a fault where it was. A container without a process has nothing left in it.
func (a *Agent) audit(ctx context.Context, _ string, raw json.RawMessage) (any, error) {
	args, err := rpc.Decode[struct {
		Fault        *string  `json:"fault"`
		ContainerIDs []string `json:"container_ids"`
		Volumes      []string `json:"volumes"`
	}](raw)
	if err != nil {
		return nil, err
	}
	fault := ""
	if args.Fault != nil {
		if fault = *args.Fault; !records.IsFault(fault) {
			return nil, notAFault(fault)
		}
	}
	all := []left{}
	err = a.each(ctx, args.ContainerIDs, func(id string, t *target.Target) error {
		if t == nil {
			return nil
		}
		found, err := a.residue(ctx, t, fault)
		for _, item := range found {
			all = append(all, left{id, item})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	found, err := a.residue(ctx, nil, fault)
	if err != nil {
		return nil, err
	}
	for _, item := range found {
		// Of any fault: in the volumes asked for only, as others belong to others.
		if item.Volume == "" || fault != "" || slices.Contains(args.Volumes, item.Volume) {
			all = append(all, left{item.Container, item})
		}
	}
	return map[string]any{"residue": all}, nil
}

// snapshot describes containers and host such that equal states give equal texts.
func (a *Agent) snapshot(ctx context.Context, _ string, raw json.RawMessage) (any, error) {
	args, err := rpc.Decode[struct {
		ContainerIDs []string `json:"container_ids"`
	}](raw)
	if err != nil {
		return nil, err
	}
	type node struct {
		Netns  string            `json:"netns"`
		Cgroup map[string]string `json:"cgroup"`
	}
	nodes := map[string]node{}
	err = a.each(ctx, args.ContainerIDs, func(id string, t *target.Target) error {
		one := node{Cgroup: map[string]string{}}
		if t != nil {
			err := a.within(ctx, t, func() (err error) {
				if one.Netns, err = a.Network.Snapshot(ctx, t); err != nil {
					return err
				}
				one.Cgroup, err = a.Resource.SnapshotNode(ctx, t)
				return err
			})
			if err != nil {
				return err
			}
		}
		nodes[id] = one
		return nil
	})
	if err != nil {
		return nil, err
	}
	host, err := a.Resource.SnapshotHost(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]any{"containers": nodes, "host": host}, nil
}

// each opens one container after the other; those that do not run, or that ended while they were looked at, come as nil.
func (a *Agent) each(ctx context.Context, ids []string, do func(id string, t *target.Target) error) error {
	for _, id := range ids {
		t, err := a.openIfRuns(ctx, id)
		if err != nil && !fail.Is(err, "host_namespace") {
			return err
		}
		if t == nil {
			if err := do(id, nil); err != nil {
				return err
			}
			continue
		}
		err = do(id, t)
		alive := t.Alive()
		t.Close()
		if err != nil && !alive && ctx.Err() == nil {
			err = do(id, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
