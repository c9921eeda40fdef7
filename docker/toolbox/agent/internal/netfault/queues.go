package netfault

import (
	"context"
	"net/netip"
	"time"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/netfault/delay"
	"subjectd/toolbox/internal/netfault/rules"
	"subjectd/toolbox/internal/target"
)

// heldQueue is a running delayer. It ends by itself with the process for which it was made.
type heldQueue struct {
	*delay.Queue
	containerID string
	peers       []netip.Addr
}

// applyQueue has a delayer running and then sends packets there. A packet is delayed by one fault only, as a queue's packets see no later rule: `conflict` where
// another fault has the same packets.
func (m *Manager) applyQueue(ctx context.Context, t *target.Target, can Capabilities, s spec) (map[bool]string, error) {
	key := objectKey{t.NetNSKey(), s.fault}
	m.mu.Lock()
	old := m.queues[key]
	for other, queue := range m.queues {
		if other.namespace == key.namespace && other.fault != key.fault && overlap(queue.peers, s.peers) {
			m.mu.Unlock()
			return nil, fail.New("conflict", "packets of this node to the same peers are delayed by %s already", other.fault)
		}
	}
	m.mu.Unlock()
	queue := old
	if queue == nil {
		opened, err := delay.Open(t, s.low, s.high)
		if err != nil {
			if fail.Is(err, "not_running") {
				return nil, err
			}
			return nil, fail.New("failed", "delay queue: %v", err)
		}
		queue = &heldQueue{Queue: opened}
	}
	chains, err := applyChains(ctx, t, can, s.fault, func(four bool) string { return rules.IptablesDelay(s.fault, four, s.peers, queue.Number) })
	if err != nil {
		queue.Pass()
		queue.Close()
		return nil, err
	}
	queue.SetRange(s.low, s.high)
	m.mu.Lock()
	m.queues[key] = &heldQueue{Queue: queue.Queue, containerID: s.containerID, peers: s.peers}
	m.mu.Unlock()
	if old == nil {
		go m.endWith(t.PID, t.StartTicks, key, queue.Queue)
	}
	return chains, nil
}

// endWith ends a delayer when the process has: its socket would keep the namespace.
func (m *Manager) endWith(pid int, startTicks uint64, key objectKey, queue *delay.Queue) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-queue.Done()
		cancel()
	}()
	_ = target.AwaitEnd(ctx, pid, startTicks) // the other way to return is that the queue has ended
	queue.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	if held := m.queues[key]; held != nil && held.Queue == queue {
		delete(m.queues, key)
	}
}

// takeQueue takes a fault's delayer out of the table; nil when there is none.
func (m *Manager) takeQueue(key objectKey) *heldQueue {
	m.mu.Lock()
	defer m.mu.Unlock()
	queue := m.queues[key]
	delete(m.queues, key)
	return queue
}

// closeQueuesOf ends a fault's delayers of a container that has ended.
func (m *Manager) closeQueuesOf(fault, containerID string) {
	m.mu.Lock()
	var ending []*heldQueue
	for key, queue := range m.queues {
		if key.fault == fault && queue.containerID == containerID {
			ending = append(ending, queue)
			delete(m.queues, key)
		}
	}
	m.mu.Unlock()
	for _, queue := range ending {
		queue.Close()
	}
}

// settle is how long a delayer serves on after its rules are gone, for packets that were just between rule and queue.
const settle = 5 * time.Millisecond
