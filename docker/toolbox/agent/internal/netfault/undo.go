package netfault

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/netfault/rules"
	"subjectd/toolbox/internal/step"
	"subjectd/toolbox/internal/target"
)

// Undo removes everything of a fault from a node's network, whatever it was made by, also after a restart of the agent. Packets that a delay queue holds go on at
// once, in the order in which they came, and none is lost. A nil target: only what the agent itself keeps.
func (m *Manager) Undo(ctx context.Context, t *target.Target, r step.Request) error {
	if !rules.ValidFault(r.Fault) {
		return fail.New("bad_request", "fault: %q is no fault's id", r.Fault)
	}
	if t == nil {
		return m.undoGone(r)
	}
	can, err := m.Capabilities(ctx)
	if err != nil {
		return err
	}
	release, err := m.locks.acquire(ctx, t.NetNSKey())
	if err != nil {
		return err
	}
	defer release()
	key := objectKey{t.NetNSKey(), r.Fault}
	queue := m.takeQueue(key)
	if queue != nil {
		queue.Pass()
	}
	err = m.undo(ctx, t, can, r.Fault, m.forget(key))
	if queue != nil {
		if err == nil {
			time.Sleep(settle)
		}
		queue.Close() // after a failure the rules that are left let everything pass
	}
	if err != nil && !t.Alive() {
		return m.undoGone(r)
	}
	return err
}

// undoGone lets go of what the agent keeps for a container that has ended; its namespace has taken the rest with it.
func (m *Manager) undoGone(r step.Request) error {
	m.closeQueuesOf(r.Fault, r.ContainerID)
	m.forgetContainer(r.Fault, r.ContainerID)
	return m.state.Forget(r.Fault, r.ContainerID)
}

// undo removes what one mechanism makes, or what all of them make when it is not known which it was.
func (m *Manager) undo(ctx context.Context, t *target.Target, can Capabilities, fault string, was made) error {
	mechanism := was.mechanism
	any := mechanism == ""
	var all errgroup.Group
	errs := make([]error, 3) // all are tried, also when one fails
	if any && can.NftNetdev || mechanism == "nft_netdev" {
		all.Go(func() error { errs[0] = removeTable(ctx, t, rules.TableName(fault)); return nil })
	}
	if any || mechanism == "nfqueue" || mechanism == "statistic" || mechanism == "iptables" {
		all.Go(func() error { errs[1] = takeBack(ctx, t, can, fault, was.chains); return nil })
	}
	if any && (can.Tbf || can.Netem) || mechanism == "tbf" || mechanism == "netem" {
		all.Go(func() error { errs[2] = m.removeQdiscs(ctx, t, fault); return nil })
	}
	_ = all.Wait()
	return errors.Join(errs...)
}
