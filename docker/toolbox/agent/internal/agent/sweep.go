package agent

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/records"
	"subjectd/toolbox/internal/residue"
	"subjectd/toolbox/internal/step"
	"subjectd/toolbox/internal/target"
)

// nodeLabel is on every container that a service made.
const nodeLabel = "io.subjectd.owner"

type swept struct {
	Fault string   `json:"fault"`
	Owner *string  `json:"owner"`
	Done  bool     `json:"done"`
	What  []string `json:"what"`
}

// sweep undoes what dead owners left: their records, then what carries a fault's id that no record knows.
func (a *Agent) sweep(ctx context.Context, _ string, _ json.RawMessage) (any, error) {
	all := []swept{}
	for _, r := range a.Store.All() {
		if a.Owners.Live(r.Owner, true) {
			continue
		}
		ended, did, err := a.Watchdog.Sweep(ctx, r.Fault)
		if err != nil {
			return nil, err
		}
		if did {
			all = append(all, swept{r.Fault, &ended.Owner, ended.Ended.Done, whatOf(ended)})
		}
	}
	if err := a.Watchdog.DropOld(time.Now()); err != nil {
		return nil, err
	}
	orphans, err := a.sweepOrphans(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.sweepVolumes(ctx); err != nil {
		// What was undone is to be told all the same.
		slog.Warn("bounded volumes of dead owners could not be looked for", "error", err)
	}
	return map[string]any{"swept": append(all, orphans...)}, nil
}

// sweepVolumes removes the bounded volumes that a dead owner made and never handed to the engine: it died in between, and nobody will.
func (a *Agent) sweepVolumes(ctx context.Context) error {
	there, err := a.Engine.Volumes(ctx)
	if err != nil {
		return err
	}
	all, err := a.boundedVolumes(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, volume := range all {
		if !there[volume.Volume] && !a.Owners.Live(volume.Owner, true) {
			failed = append(failed, a.removeIfStillOf(ctx, volume))
		}
	}
	return errors.Join(failed...)
}

// removeIfStillOf removes a bounded volume unless somebody has made it anew since it was seen.
func (a *Agent) removeIfStillOf(ctx context.Context, seen listedVolume) error {
	raw, err := json.Marshal(volumeArgs{seen.Volume})
	if err != nil {
		return err
	}
	_, err = a.ofVolume(ctx, raw, func(name string) (any, error) {
		now, err := a.boundedVolumes(ctx)
		if err != nil || !slices.Contains(now, seen) {
			return nil, err
		}
		a.volumes.drop(name)
		return a.Resource.VolumeRemove(ctx, seen.Owner, raw)
	})
	return err
}

// whatOf names the steps that were undone, or what failed.
func whatOf(r records.Record) []string {
	what := []string{}
	for _, raw := range r.Undo {
		if step, err := parseStep(raw); err == nil {
			what = append(what, step.Op+" "+step.Node)
		}
	}
	return append(what, r.Ended.Failures...)
}

// sweepOrphans looks at every node that runs, and at the bounded volumes.
func (a *Agent) sweepOrphans(ctx context.Context) ([]swept, error) {
	ids, err := a.Engine.Running(ctx, nodeLabel)
	if err != nil {
		return nil, err
	}
	found := map[string]*swept{}
	for _, id := range ids {
		t, err := a.openIfRuns(ctx, id)
		if fail.Is(err, "host_namespace") || (err == nil && t == nil) {
			continue
		}
		if err != nil {
			return nil, err
		}
		err = a.sweepAt(ctx, t, id, found)
		t.Close()
		if err != nil {
			return nil, err
		}
	}
	if err := a.sweepAt(ctx, nil, "", found); err != nil {
		return nil, err
	}
	all := []swept{}
	for _, one := range found {
		all = append(all, *one)
	}
	slices.SortFunc(all, func(x, y swept) int { return strings.Compare(x.Fault, y.Fault) })
	return all, nil
}

func (a *Agent) sweepAt(ctx context.Context, t *target.Target, containerID string, found map[string]*swept) error {
	there, err := a.residue(ctx, t, "")
	if err != nil {
		return err
	}
	orphans := map[string][]residue.Item{}
	for _, item := range there {
		if _, known := a.Store.Get(item.Fault); item.Fault != "" && !known {
			orphans[item.Fault] = append(orphans[item.Fault], item)
		}
	}
	for fault, items := range orphans {
		one := found[fault]
		if one == nil {
			one = &swept{Fault: fault, Done: true, What: []string{}}
			found[fault] = one
		}
		one.What = append(one.What, residue.Whats(items)...)
		if err := a.clear(ctx, t, containerID, fault, items); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			one.Done = false
			one.What = append(one.What, err.Error())
			continue
		}
		left, err := a.residue(ctx, t, fault)
		if err != nil {
			return err
		}
		if len(left) > 0 {
			one.Done = false
		}
	}
	return nil
}

// clear undoes whatever a fault can have done: at a node its network and ballast, without one its files in volumes.
func (a *Agent) clear(ctx context.Context, t *target.Target, containerID, fault string, items []residue.Item) error {
	if t == nil {
		return a.clearFiles(ctx, fault, items)
	}
	return a.within(ctx, t, func() error {
		network := a.Network.Undo(ctx, t, step.Request{Fault: fault, Op: "net.clear", ContainerID: containerID})
		memory := a.Resource.Undo(ctx, t, step.Request{Fault: fault, Op: "memory.release", ContainerID: containerID})
		return errors.Join(network, memory)
	})
}

func (a *Agent) clearFiles(ctx context.Context, fault string, items []residue.Item) error {
	var failed []error
	for _, item := range items {
		if item.File == "" {
			continue
		}
		raw, err := json.Marshal(map[string]string{"op": "disk.release", "fault": fault, "name": item.File, "volume": item.Volume})
		if err == nil {
			err = a.Resource.Undo(ctx, nil, step.Request{Fault: fault, Op: "disk.release", Raw: raw})
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}
