// Package agent answers the protocol's requests: it joins records, engine and the packages that disturb and measure.
package agent

import (
	"context"
	"encoding/json"

	"subjectd/toolbox/internal/engine"
	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/locks"
	"subjectd/toolbox/internal/netfault"
	"subjectd/toolbox/internal/owners"
	"subjectd/toolbox/internal/records"
	"subjectd/toolbox/internal/resource"
	"subjectd/toolbox/internal/rpc"
	"subjectd/toolbox/internal/target"
	"subjectd/toolbox/internal/watchdog"
)

// Protocol is the version that this agent speaks.
const Protocol = 1

// Agent is everything that outlives a session. All members must be set.
type Agent struct {
	Engine   *engine.Client
	Store    *records.Store
	Owners   *owners.Registry
	Watchdog *watchdog.Watchdog
	Network  *netfault.Manager
	Resource *resource.Manager
	Build    string
	BootID   string

	// spaces serialises what is done to one network namespace.
	spaces locks.Keyed
	// volumes serialises what is done to one bounded volume.
	volumes volumeTimes
}

type op func(a *Agent, ctx context.Context, owner string, args json.RawMessage) (any, error)

var ops = map[string]op{
	"owners":           (*Agent).owners,
	"capabilities":     (*Agent).capabilities,
	"arm":              (*Agent).arm,
	"renew":            (*Agent).renew,
	"disarm":           (*Agent).disarm,
	"records":          (*Agent).records,
	"sweep":            (*Agent).sweep,
	"apply":            (*Agent).apply,
	"undo":             (*Agent).undo,
	"audit":            (*Agent).audit,
	"snapshot":         (*Agent).snapshot,
	"measure.trains":   (*Agent).trains,
	"measure.flows":    ofContainer((*Agent).flows),
	"measure.counters": ofContainer((*Agent).counters),
	"measure.cgroup":   ofContainer((*Agent).cgroup),
	"measure.cpu":      ofContainer((*Agent).cpu),
	"measure.frozen":   ofContainer((*Agent).frozen),
	"measure.disk":     (*Agent).disk,
	"volume.create":    (*Agent).volumeCreate,
	"volume.remove":    (*Agent).volumeRemove,
	"volume.list":      (*Agent).volumeList,
}

// Hello begins a session.
func (a *Agent) Hello(raw json.RawMessage) (string, any, error) {
	args, err := rpc.Decode[struct {
		Owner    string `json:"owner"`
		Protocol int    `json:"protocol"`
	}](raw)
	if err != nil {
		return "", nil, err
	}
	if args.Owner == "" || len(args.Owner) > 100 {
		return "", nil, fail.New("bad_request", "an owner's name has 1 to 100 characters")
	}
	live := 0
	for _, known := range a.knownOwners() {
		if known.Live {
			live++
		}
	}
	return args.Owner, map[string]any{"protocol": Protocol, "build": a.Build, "boot_id": a.BootID, "owners_live": live}, nil
}

// Handle answers one request of a session.
func (a *Agent) Handle(ctx context.Context, owner, name string, args json.RawMessage) (any, error) {
	do := ops[name]
	if do == nil {
		return nil, fail.New("unknown_op", "there is no op %q", name)
	}
	return do(a, ctx, owner, args)
}

// open opens a container's process: `gone`, `not_running`, `host_namespace` or `engine` when it cannot.
func (a *Agent) open(ctx context.Context, containerID string) (*target.Target, error) {
	found, err := a.Engine.Inspect(ctx, containerID)
	if err != nil {
		return nil, err
	}
	if !found.Running || found.PID == 0 {
		return nil, fail.New("not_running", "container %s is %s", found.Name, found.Status)
	}
	return target.OpenPID(containerID, found.PID)
}

// openIfRuns answers nil without an error when the container has no process: what dies with it needs no hand.
func (a *Agent) openIfRuns(ctx context.Context, containerID string) (*target.Target, error) {
	t, err := a.open(ctx, containerID)
	if fail.Is(err, "gone") || fail.Is(err, "not_running") {
		return nil, nil
	}
	return t, err
}

// within does something to a container's namespace while nothing else is.
func (a *Agent) within(ctx context.Context, t *target.Target, do func() error) error {
	if t == nil {
		return do()
	}
	release, err := a.spaces.Exclusive(ctx, t.NetNSKey())
	if err != nil {
		return err
	}
	defer release()
	return do()
}
