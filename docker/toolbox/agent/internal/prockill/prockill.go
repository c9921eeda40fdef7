// Package prockill signals a container's first process from the host's side, which its restart policy takes for a crash.
package prockill

import (
	"context"
	"encoding/json"
	"strings"

	"golang.org/x/sys/unix"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/step"
	"subjectd/toolbox/internal/target"
)

// Handler carries out proc.kill.
type Handler struct{}

// Apply sends the signal; it does not wait for its effect.
func (Handler) Apply(_ context.Context, t *target.Target, r step.Request) (map[string]any, error) {
	var args struct {
		Signal string `json:"signal"`
	}
	if err := json.Unmarshal(r.Raw, &args); err != nil {
		return nil, fail.New("bad_request", "proc.kill: %v", err)
	}
	number := unix.SignalNum(strings.ToUpper(args.Signal))
	if number == 0 {
		return nil, fail.New("bad_request", "%q is no signal", args.Signal)
	}
	if err := t.Signal(number); err != nil {
		return nil, err
	}
	return map[string]any{"mechanism": "host_signal", "pid": t.PID}, nil
}
