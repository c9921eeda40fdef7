package agent

import (
	"context"
	"time"

	"subjectd/toolbox/internal/engine"
	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/step"
	"subjectd/toolbox/internal/target"
)

// wedgedAfter is how long an engine that is well needs at most to tell about a container.
const wedgedAfter = 2 * time.Second

// starter has a container running again, whether it was stopped or paused.
type starter struct{ a *Agent }

// Undo answers when the container runs; one that is gone or about to go is no error.
func (s starter) Undo(ctx context.Context, _ *target.Target, r step.Request) error {
	found, err := s.a.Engine.Inspect(ctx, r.ContainerID)
	switch {
	case fail.Is(err, "gone"):
		return nil
	case err != nil:
		return err
	case found.Paused:
		return s.a.unpause(ctx, found)
	case found.Running, found.Status == "removing", found.Status == "dead":
		return nil
	}
	if err := s.a.Engine.Start(ctx, r.ContainerID); !fail.Is(err, "gone") {
		return err
	}
	return nil
}

// unpauser lets a container's processes go on.
type unpauser struct{ a *Agent }

// Undo answers when the container is not paused; one that has ended or is gone is no error. An engine that does not answer about the container may itself wait for
// something in it that was frozen half-way: it is thawed then, and the engine asked again.
func (u unpauser) Undo(ctx context.Context, _ *target.Target, r step.Request) error {
	found, err := u.inspectSoon(ctx, r.ContainerID)
	if err != nil && !fail.Is(err, "gone") {
		if thawErr := u.a.Resource.Thaw(ctx, r.ContainerID); thawErr != nil {
			return fail.New("engine", "%v; and %v", err, thawErr)
		}
		found, err = u.a.Engine.Inspect(ctx, r.ContainerID)
	}
	switch {
	case fail.Is(err, "gone"):
		return nil
	case err != nil:
		return err
	case !found.Running:
		return nil
	}
	return u.a.unpause(ctx, found)
}

func (u unpauser) inspectSoon(ctx context.Context, id string) (engine.Container, error) {
	soon, cancel := context.WithTimeout(ctx, wedgedAfter)
	defer cancel()
	return u.a.Engine.Inspect(soon, id)
}

// unpause goes through the engine first, so that it knows; then through the freezer, for a cgroup that stays frozen all the same. An engine that says "paused" of what is thawed
// already refuses to unpause it: it is frozen once more, for the engine to thaw.
func (a *Agent) unpause(ctx context.Context, found engine.Container) error {
	if !found.Paused {
		return a.Resource.Thaw(ctx, found.ID)
	}
	err := a.Engine.Unpause(ctx, found.ID)
	if err == nil || fail.Is(err, "gone") {
		return a.Resource.Thaw(ctx, found.ID)
	}
	again, inspectErr := a.Engine.Inspect(ctx, found.ID)
	switch {
	case fail.Is(inspectErr, "gone"):
		return nil
	case inspectErr == nil && !again.Paused:
		return a.Resource.Thaw(ctx, found.ID)
	}
	if freezeErr := a.Resource.Freeze(ctx, found.ID); freezeErr == nil {
		if err = a.Engine.Unpause(ctx, found.ID); err == nil || fail.Is(err, "gone") {
			return a.Resource.Thaw(ctx, found.ID)
		}
	}
	// The node goes on even if the engine does not say so.
	if thawErr := a.Resource.Thaw(ctx, found.ID); thawErr != nil {
		return fail.New("engine", "%v; and %v", err, thawErr)
	}
	return err
}
