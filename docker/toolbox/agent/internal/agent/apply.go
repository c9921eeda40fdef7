package agent

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/records"
	"subjectd/toolbox/internal/rpc"
	"subjectd/toolbox/internal/step"
)

// apply carries out a step of an armed fault, after it was written into its record.
func (a *Agent) apply(ctx context.Context, _ string, raw json.RawMessage) (any, error) {
	args, err := rpc.Decode[struct {
		Fault string          `json:"fault"`
		Fence int64           `json:"fence"`
		Step  json.RawMessage `json:"step"`
	}](raw)
	if err != nil {
		return nil, err
	}
	r, err := parseStep(args.Step)
	if err != nil {
		return nil, err
	}
	if _, known := applies[r.Op]; !known {
		return nil, fail.New("bad_request", "%q is no step", r.Op)
	}
	if r.Fault != args.Fault {
		return nil, fail.New("bad_request", "the step is of fault %q", r.Fault)
	}
	// Shared: nodes of one fault at the same time, but never while the fault is undone.
	release, err := a.Watchdog.Locks.Shared(ctx, r.Fault)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := a.mayApply(r.Fault, args.Fence); err != nil {
		return nil, err
	}
	t, err := a.open(ctx, r.ContainerID)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	now := records.Applied{Op: r.Op, ContainerID: r.ContainerID, PID: t.PID, StartTicks: t.StartTicks, Step: args.Step}
	var before *records.Applied
	err = a.update(r.Fault, func(record *records.Record) (*records.Record, error) {
		if err := armed(record, args.Fence); err != nil {
			return nil, err
		}
		before = journal(record, now)
		return record, nil
	})
	if err != nil {
		return nil, err
	}
	facts, err := a.applyTo(ctx, t, r)
	if err != nil {
		a.unjournal(r, now, before)
		return nil, err
	}
	return facts, nil
}

func (a *Agent) mayApply(fault string, fence int64) error {
	record, ok := a.Store.Get(fault)
	if !ok {
		return armed(nil, fence)
	}
	if fence > record.Fence {
		return fail.New("not_armed", "the fault is armed with fence %d", record.Fence)
	}
	return armed(&record, fence)
}

// journal puts a step into the record in place of the one it replaces, which it answers.
func journal(record *records.Record, now records.Applied) *records.Applied {
	at := slices.IndexFunc(record.Applied, now.Same)
	if at < 0 {
		record.Applied = append(record.Applied, now)
		return nil
	}
	before := record.Applied[at]
	record.Applied[at] = now
	return &before
}

// unjournal takes a step that failed out of the record again, so that no restart of the agent does it after all. Best effort: the undo steps stand.
func (a *Agent) unjournal(r step.Request, now records.Applied, before *records.Applied) {
	_ = a.update(r.Fault, func(record *records.Record) (*records.Record, error) {
		if record == nil {
			return nil, nil
		}
		record.Applied = slices.DeleteFunc(record.Applied, now.Same)
		if before != nil {
			record.Applied = append(record.Applied, *before)
		}
		return record, nil
	})
}

// undo carries out one undo step. What it takes back must not come again with a restart of the agent, so the record loses it first.
func (a *Agent) undo(ctx context.Context, _ string, raw json.RawMessage) (any, error) {
	args, err := rpc.Decode[struct {
		Step json.RawMessage `json:"step"`
	}](raw)
	if err != nil {
		return nil, err
	}
	if err := checkUndo(args.Step); err != nil {
		return nil, err
	}
	r, err := parseStep(args.Step)
	if err != nil {
		return nil, err
	}
	if voids := undoes[r.Op].voids; voids != "" {
		if err := a.void(r, voids); err != nil {
			return nil, err
		}
	}
	return nil, a.UndoStep(ctx, args.Step)
}

func (a *Agent) void(r step.Request, prefix string) error {
	isVoid := func(applied records.Applied) bool {
		return applied.ContainerID == r.ContainerID && strings.HasPrefix(applied.Op, prefix)
	}
	record, ok := a.Store.Get(r.Fault)
	if !ok || !slices.ContainsFunc(record.Applied, isVoid) {
		return nil
	}
	return a.update(r.Fault, func(record *records.Record) (*records.Record, error) {
		if record != nil {
			record.Applied = slices.DeleteFunc(record.Applied, isVoid)
		}
		return record, nil
	})
}
