// Package netfault disturbs a node's network from the host's side, inside the node's network namespace: delay, loss, rate and drop, on every interface that is there
// when the fault is applied, `lo` never (the engine's name server and health checks live there). Interfaces that are attached later are not disturbed.
package netfault

import (
	"runtime"
	"sync"

	"subjectd/toolbox/internal/netfault/qdisc"
	"subjectd/toolbox/internal/step"
)

var (
	_ step.Handler = (*Manager)(nil)
	_ step.Undoer  = (*Manager)(nil)
	_ step.Auditor = (*Manager)(nil)
)

// Manager carries out the network steps of the protocol. It may be used from many goroutines; what concerns one namespace goes one after another.
type Manager struct {
	state   qdisc.State
	without map[string]bool

	locks locks

	mu     sync.Mutex
	known  *Capabilities
	queues map[objectKey]*heldQueue
	made   map[objectKey]made
}

// Option changes how a Manager works.
type Option func(*Manager)

// WithStateDir says where the composition of qdiscs is kept; it should outlive the agent's process.
func WithStateDir(dir string) Option { return func(m *Manager) { m.state.Dir = dir } }

// Without leaves mechanisms out as if the kernel had none: netem, tbf, nft_netdev, nfqueue, statistic, iptables (the nft variant), iptables-legacy.
func Without(mechanisms ...string) Option {
	return func(m *Manager) {
		for _, name := range mechanisms {
			m.without[name] = true
		}
	}
}

// DefaultStateDir is on the toolbox's own volume.
const DefaultStateDir = "/var/lib/toolbox/net"

const processors = 8

// New makes a Manager. Nothing is probed or changed yet, but that Go's scheduler gets at least 8 processors.
func New(options ...Option) *Manager {
	m := &Manager{state: qdisc.State{Dir: DefaultStateDir}, without: map[string]bool{}, queues: map[objectKey]*heldQueue{}, made: map[objectKey]made{}}
	for _, option := range options {
		option(m)
	}
	// A thread that serves a delay queue must not wait for one of Go's few processors when the agent has other work: measured on two cores, that costs
	// up to 30 ms a packet.
	if runtime.GOMAXPROCS(0) < processors {
		runtime.GOMAXPROCS(processors)
	}
	return m
}

// objectKey is a fault in a namespace.
type objectKey struct{ namespace, fault string }

// made is what this process made of a fault, so that undoing it looks nowhere else. It is known only while everything went well.
type made struct {
	containerID, mechanism string
	chains                 map[bool]string // the texts for iptables-restore, by family
}

func (m *Manager) remember(key objectKey, what made) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.made[key] = what
}

// forget takes out what was made of a fault; the mechanism is empty when that is not known.
func (m *Manager) forget(key objectKey) made {
	m.mu.Lock()
	defer m.mu.Unlock()
	what := m.made[key]
	delete(m.made, key)
	return what
}

func (m *Manager) forgetContainer(fault, containerID string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, what := range m.made {
		if key.fault == fault && what.containerID == containerID {
			delete(m.made, key)
		}
	}
}
