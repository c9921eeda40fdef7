// Package step has what every step handler of the agent looks like. A handler never talks to the engine: it gets the node's process already opened.
package step

import (
	"context"
	"encoding/json"

	"subjectd/toolbox/internal/residue"
	"subjectd/toolbox/internal/target"
)

// Request is one step as the protocol has it. Raw is the whole step, for the members that only its handler knows.
type Request struct {
	Fault       string          `json:"fault"`
	Op          string          `json:"op"`
	Node        string          `json:"node"`
	ContainerID string          `json:"container_id"`
	Raw         json.RawMessage `json:"-"`
}

// Handler carries out one kind of step. Both verbs are idempotent by fault and container.
type Handler interface {
	// Apply answers the facts of the protocol's table, `mechanism` among them.
	Apply(ctx context.Context, t *target.Target, r Request) (map[string]any, error)
}

// Undoer carries out one kind of undo step. The target is nil when the container does not run or is gone: then only what outlives a container is undone.
type Undoer interface {
	Undo(ctx context.Context, t *target.Target, r Request) error
}

// Auditor finds what is left. An empty fault means: of any fault. The target is nil for what belongs to no container.
type Auditor interface {
	Residue(ctx context.Context, t *target.Target, fault string) ([]residue.Item, error)
}
