package agent

import (
	"context"
	"log/slog"
	"sync"

	"subjectd/toolbox/internal/boot"
	"subjectd/toolbox/internal/records"
	"subjectd/toolbox/internal/target"
)

// Remake makes again what lived in the agent before its restart: the steps of armed faults, at processes that are still the same ones. Containers at the same
// time, the steps of each in the order they came. What cannot be made again is logged; the service's own looks find it.
func (a *Agent) Remake(ctx context.Context) {
	byContainer := map[string][]records.Applied{}
	for _, r := range a.Store.All() {
		if r.Ended != nil || a.Watchdog.Until(r) <= boot.Now() {
			continue
		}
		for _, applied := range r.Applied {
			if applies[applied.Op].livesHere {
				byContainer[applied.ContainerID] = append(byContainer[applied.ContainerID], applied)
			}
		}
	}
	var running sync.WaitGroup
	for id, steps := range byContainer {
		running.Add(1)
		go func() {
			defer running.Done()
			for _, applied := range steps {
				if err := a.remake(ctx, applied); err != nil {
					slog.Error("a step could not be made again", "op", applied.Op, "container", id, "error", err)
				}
			}
		}()
	}
	running.Wait()
}

func (a *Agent) remake(ctx context.Context, applied records.Applied) error {
	r, err := parseStep(applied.Step)
	if err != nil {
		return err
	}
	t, err := target.OpenPID(applied.ContainerID, applied.PID)
	if err != nil {
		return err
	}
	defer t.Close()
	if t.StartTicks != applied.StartTicks {
		slog.Info("a step is not made again: the node was restarted", "op", applied.Op, "container", applied.ContainerID)
		return nil
	}
	_, err = a.applyTo(ctx, t, r)
	return err
}
