// Package resource has the faults, measures and volumes that work on a machine's resources: CPU quotas, memory, frozen groups, bounded volumes.
package resource

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"sync"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/resource/ballast"
	"subjectd/toolbox/internal/resource/loopvol"
	"subjectd/toolbox/internal/resource/spin"
	"subjectd/toolbox/internal/step"
	"subjectd/toolbox/internal/target"
)

// Manager carries out the steps, measures and volume requests of this package. It is safe for concurrent use.
type Manager struct {
	dataDir string
	volumes *loopvol.Store

	mu       sync.Mutex
	ballasts map[key]*ballast.Load
	quotas   map[key]quota

	loopOnce   sync.Once
	loopReason string
}

// key is what a step is idempotent by.
type key struct{ fault, container string }

// New answers a manager that keeps its volumes under dataDir. It changes nothing yet.
func New(dataDir string) *Manager {
	return &Manager{
		dataDir: dataDir, volumes: loopvol.New(filepath.Join(dataDir, "volumes")),
		ballasts: map[key]*ballast.Load{}, quotas: map[key]quota{},
	}
}

// Main is the helper subcommands of the agent's own binary: args are the words behind the binary's name. It answers the exit status, and false when the
// first word is no helper's.
func Main(args []string) (int, bool) {
	if len(args) == 0 {
		return 2, false
	}
	switch args[0] {
	case ballast.Verb:
		return ballast.Main(args[1:]), true
	case spin.Verb:
		return spin.Main(args[1:]), true
	}
	return 2, false
}

// Apply carries out `cgroup.cpu`, `memory.ballast` and `disk.fill`.
func (m *Manager) Apply(ctx context.Context, t *target.Target, r step.Request) (map[string]any, error) {
	var facts map[string]any
	var err error
	switch r.Op {
	case "cgroup.cpu":
		facts, err = m.applyCPU(t, r)
	case "memory.ballast":
		facts, err = m.applyBallast(ctx, t, r)
	case "disk.fill":
		facts, err = m.applyFill(ctx, r)
	default:
		err = fail.New("unknown_op", "%s", r.Op)
	}
	return facts, coded(ctx, err)
}

// Undo carries out `cgroup.restore`, `memory.release` and `disk.release`, in whatever state the container is.
func (m *Manager) Undo(ctx context.Context, _ *target.Target, r step.Request) error {
	switch r.Op {
	case "cgroup.restore":
		return coded(ctx, m.undoCPU(r))
	case "memory.release":
		return coded(ctx, m.undoBallast(ctx, r))
	case "disk.release":
		return coded(ctx, m.undoFill(ctx, r))
	}
	return fail.New("unknown_op", "%s", r.Op)
}

var (
	_ step.Handler = (*Manager)(nil)
	_ step.Undoer  = (*Manager)(nil)
	_ step.Auditor = (*Manager)(nil)
)

// parse reads a request's members; without any, the zero values stay.
func parse(raw json.RawMessage, into any) error {
	if len(raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fail.New("bad_request", "%v", err)
	}
	return nil
}

// coded makes sure that an error has a code of the protocol.
func coded(ctx context.Context, err error) error {
	var known *fail.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.Canceled), errors.Is(ctx.Err(), context.Canceled):
		return fail.New("cancelled", "the request was cancelled")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fail.New("deadline", "the request's time is up")
	}
	return fail.New("failed", "%v", err)
}

func running(t *target.Target) error {
	if t == nil || !t.Alive() {
		return fail.New("not_running", "the container does not run")
	}
	return nil
}
