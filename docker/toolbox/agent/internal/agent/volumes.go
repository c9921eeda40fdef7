package agent

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"subjectd/toolbox/internal/engine"
	"subjectd/toolbox/internal/locks"
	"subjectd/toolbox/internal/rpc"
)

const (
	// young volumes may not be known to the engine yet: it gets them after they are made here.
	young      = time.Minute
	reconnect  = time.Second
	cleanLimit = time.Minute
)

// volumeTimes knows when a volume was made, so that a late word of the removal of its predecessor does not take it.
type volumeTimes struct {
	locks locks.Keyed
	mu    sync.Mutex
	made  map[string]time.Time
}

func (v *volumeTimes) set(volume string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.made == nil {
		v.made = map[string]time.Time{}
	}
	v.made[volume] = time.Now()
}

func (v *volumeTimes) since(volume string) time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.made[volume]
}

func (v *volumeTimes) drop(volume string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.made, volume)
}

type volumeArgs struct {
	Volume string `json:"volume"`
}

func (a *Agent) volumeCreate(ctx context.Context, owner string, raw json.RawMessage) (any, error) {
	return a.ofVolume(ctx, raw, func(volume string) (any, error) {
		a.volumes.set(volume)
		return a.Resource.VolumeCreate(ctx, owner, raw)
	})
}

func (a *Agent) volumeRemove(ctx context.Context, owner string, raw json.RawMessage) (any, error) {
	return a.ofVolume(ctx, raw, func(volume string) (any, error) {
		result, err := a.Resource.VolumeRemove(ctx, owner, raw)
		if err == nil {
			a.volumes.drop(volume)
		}
		return result, err
	})
}

func (a *Agent) volumeList(ctx context.Context, owner string, raw json.RawMessage) (any, error) {
	return a.Resource.VolumeList(ctx, owner, raw)
}

func (a *Agent) ofVolume(ctx context.Context, raw json.RawMessage, do func(volume string) (any, error)) (any, error) {
	args, err := rpc.Decode[volumeArgs](raw)
	if err != nil {
		return nil, err
	}
	release, err := a.volumes.locks.Exclusive(ctx, args.Volume)
	if err != nil {
		return nil, err
	}
	defer release()
	return do(args.Volume)
}

// FollowVolumes removes bounded volumes that the engine no longer has, until the context ends.
func (a *Agent) FollowVolumes(ctx context.Context) {
	for ctx.Err() == nil {
		err := a.Engine.VolumeEvents(ctx, func() { a.removeLost(ctx) }, func(gone engine.VolumeDestroyed) { a.removeVolume(ctx, gone.Name, gone.At) })
		if ctx.Err() != nil {
			return
		}
		slog.Warn("the engine's events ended; asking again", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(reconnect):
		}
	}
}

// removeLost compares with what the engine has, for what happened while nobody listened.
func (a *Agent) removeLost(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, cleanLimit)
	defer cancel()
	there, err := a.Engine.Volumes(limited)
	if err == nil {
		var ours []listedVolume
		if ours, err = a.boundedVolumes(limited); err == nil {
			for _, volume := range ours {
				if !there[volume.Volume] {
					a.removeVolume(ctx, volume.Volume, time.Now().Add(-young))
				}
			}
		}
	}
	if err != nil {
		slog.Warn("bounded volumes could not be compared with the engine's", "error", err)
	}
}

// removeVolume removes a bounded volume that the engine lost at a time, unless it was made anew since.
func (a *Agent) removeVolume(ctx context.Context, name string, lostAt time.Time) {
	limited, cancel := context.WithTimeout(ctx, cleanLimit)
	defer cancel()
	ours, err := a.boundedVolumes(limited)
	if err != nil {
		slog.Warn("bounded volumes could not be listed", "error", err)
		return
	}
	for _, volume := range ours {
		if volume.Volume != name {
			continue
		}
		raw, err := json.Marshal(volumeArgs{name})
		if err == nil {
			_, err = a.ofVolume(limited, raw, func(string) (any, error) {
				if a.volumes.since(name).After(lostAt) {
					return nil, nil
				}
				a.volumes.drop(name)
				return a.Resource.VolumeRemove(limited, volume.Owner, raw)
			})
		}
		if err != nil {
			slog.Warn("a bounded volume that the engine no longer has could not be removed", "volume", name, "error", err)
		}
	}
}

type listedVolume struct {
	Volume string `json:"volume"`
	Owner  string `json:"owner"`
}

func (a *Agent) boundedVolumes(ctx context.Context) ([]listedVolume, error) {
	answer, err := a.Resource.VolumeList(ctx, "", json.RawMessage("{}"))
	if err != nil {
		return nil, err
	}
	bytes, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	list, err := rpc.Decode[struct {
		Volumes []listedVolume `json:"volumes"`
	}](bytes)
	return list.Volumes, err
}
