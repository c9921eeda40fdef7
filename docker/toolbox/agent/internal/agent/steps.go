package agent

import (
	"context"
	"encoding/json"
	"strings"

	"subjectd/toolbox/internal/engine"
	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/nodetcp"
	"subjectd/toolbox/internal/prockill"
	"subjectd/toolbox/internal/records"
	"subjectd/toolbox/internal/step"
	"subjectd/toolbox/internal/target"
)

// applies says who carries out which step; what lives in the agent has to be made again after its restart.
var applies = map[string]struct {
	by        func(a *Agent) step.Handler
	livesHere bool
}{
	"proc.kill":      {func(*Agent) step.Handler { return prockill.Handler{} }, false},
	"net.delay":      {func(a *Agent) step.Handler { return a.Network }, true},
	"net.loss":       {func(a *Agent) step.Handler { return a.Network }, true},
	"net.rate":       {func(a *Agent) step.Handler { return a.Network }, true},
	"net.drop":       {func(a *Agent) step.Handler { return a.Network }, true},
	"cgroup.cpu":     {func(a *Agent) step.Handler { return a.Resource }, false},
	"memory.ballast": {func(a *Agent) step.Handler { return a.Resource }, true},
	"disk.fill":      {func(a *Agent) step.Handler { return a.Resource }, false},
	"node.tcp":       {func(*Agent) step.Handler { return nodetcp.Handler{} }, false},
}

// undoes says who undoes what, and which applied steps are void from then on.
var undoes = map[string]struct {
	by    func(a *Agent) step.Undoer
	voids string
}{
	"engine.start":   {func(a *Agent) step.Undoer { return starter{a} }, ""},
	"engine.unpause": {func(a *Agent) step.Undoer { return unpauser{a} }, ""},
	"net.clear":      {func(a *Agent) step.Undoer { return a.Network }, "net."},
	"cgroup.restore": {func(a *Agent) step.Undoer { return a.Resource }, "cgroup."},
	"memory.release": {func(a *Agent) step.Undoer { return a.Resource }, "memory."},
	"disk.release":   {func(a *Agent) step.Undoer { return a.Resource }, "disk."},
	"node.tcp":       {func(*Agent) step.Undoer { return nodetcp.Handler{} }, ""},
}

func requestOf(raw json.RawMessage) (step.Request, error) {
	var r step.Request
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, fail.New("bad_request", "step: %v", err)
	}
	r.Raw = raw
	return r, nil
}

// parseStep reads a step as it comes from a service, and refuses one that does not say what it is about.
func parseStep(raw json.RawMessage) (step.Request, error) {
	r, err := requestOf(raw)
	if err != nil {
		return r, err
	}
	if err := engine.CheckID(r.ContainerID); err != nil {
		return r, err
	}
	// Only steps through the engine belong to no fault.
	if !(r.Fault == "" && strings.HasPrefix(r.Op, "engine.")) && !records.IsFault(r.Fault) {
		return r, notAFault(r.Fault)
	}
	return r, nil
}

func checkUndo(raw json.RawMessage) error {
	r, err := parseStep(raw)
	if err != nil {
		return err
	}
	if _, known := undoes[r.Op]; !known {
		return fail.New("bad_request", "%q is no undo step", r.Op)
	}
	return nil
}

// applyTo carries out a step on an opened process.
func (a *Agent) applyTo(ctx context.Context, t *target.Target, r step.Request) (facts map[string]any, err error) {
	err = a.within(ctx, t, func() error {
		facts, err = applies[r.Op].by(a).Apply(ctx, t, r)
		return err
	})
	return facts, err
}

// UndoStep carries out one undo step in any state its container is in.
func (a *Agent) UndoStep(ctx context.Context, raw json.RawMessage) error {
	if err := checkUndo(raw); err != nil {
		return err
	}
	r, err := parseStep(raw)
	if err != nil {
		return err
	}
	by := undoes[r.Op].by(a)
	if strings.HasPrefix(r.Op, "engine.") {
		return by.Undo(ctx, nil, r)
	}
	t, err := a.openIfRuns(ctx, r.ContainerID)
	if err != nil {
		return err
	}
	if t == nil && r.Op == "node.tcp" {
		if _, err := a.Engine.Inspect(ctx, r.ContainerID); fail.Is(err, "gone") {
			return nil
		}
	}
	if t != nil {
		defer t.Close()
	}
	err = a.within(ctx, t, func() error { return by.Undo(ctx, t, r) })
	// The process ended in the middle: what was in its namespace ended with it, what outlives it is still to be undone.
	if err != nil && t != nil && !t.Alive() && ctx.Err() == nil {
		return by.Undo(ctx, nil, r)
	}
	return err
}
