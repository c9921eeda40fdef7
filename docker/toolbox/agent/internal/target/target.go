// Package target opens a container's process, so that everything afterwards works through descriptors and never through a number that may be reused.
package target

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"subjectd/toolbox/internal/fail"
)

// Target is one running container's first process, opened. Close it when done. Once the process has ended it holds nothing of its namespace any more.
type Target struct {
	ContainerID string
	PID         int
	// StartTicks tells this process from a later one of the same number (field 22 of /proc/PID/stat).
	StartTicks uint64

	proc *watch
	gone chan struct{}
	key  string

	mu     sync.RWMutex
	netns  *os.File // nil once the process has ended or Close was called
	closed bool
}

// OpenPID opens the process of a container and its network namespace. It answers `not_running` when the process is not there or is another container's,
// and `host_namespace` when it shares the host's network. An empty id skips the check of the cgroup (for processes that are no container's).
func OpenPID(containerID string, pid int) (*Target, error) {
	if pid <= 0 {
		return nil, fail.New("not_running", "the container has no process")
	}
	before, err := ReadStat(pid)
	if err != nil {
		return nil, fail.New("not_running", "process %d: %v", pid, err)
	}
	proc, err := openWatch(pid, before.StartTicks)
	if err != nil {
		return nil, fail.New("not_running", "process %d cannot be opened: %v", pid, err)
	}
	netns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		proc.close()
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			return nil, fail.New("not_running", "process %d has no network namespace any more", pid)
		}
		return nil, fail.New("failed", "network namespace of process %d: %v", pid, err)
	}
	key, err := check(containerID, pid, before.StartTicks, netns)
	if err != nil {
		netns.Close()
		proc.close()
		return nil, err
	}
	t := &Target{ContainerID: containerID, PID: pid, StartTicks: before.StartTicks, proc: proc, gone: make(chan struct{}), key: key, netns: netns}
	go t.watch()
	return t, nil
}

// check makes sure that the descriptors opened are those of the container's process: nothing that was looked up by number is believed before.
func check(containerID string, pid int, startTicks uint64, netns *os.File) (string, error) {
	if containerID != "" {
		groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
		if err != nil {
			return "", fail.New("not_running", "cgroup of process %d: %v", pid, err)
		}
		if !strings.Contains(string(groups), containerID) {
			return "", fail.New("not_running", "process %d is not in the container's cgroup", pid)
		}
	}
	own, err := namespaceKey(netns)
	if err != nil {
		return "", fail.New("failed", "network namespace of process %d: %v", pid, err)
	}
	host, err := hostKey()
	if err != nil {
		return "", fail.New("failed", "the host's network namespace cannot be looked at: %v", err)
	}
	if own == host {
		return "", fail.New("host_namespace", "process %d shares the host's network namespace", pid)
	}
	after, err := ReadStat(pid)
	if err != nil || after.StartTicks != startTicks || after.Ended() {
		return "", fail.New("not_running", "process %d ended while it was opened", pid)
	}
	return own, nil
}

// watch waits for the process's end and lets go of its namespace then: an open file alone would keep it alive.
func (t *Target) watch() {
	if !t.proc.wait() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dropNetNS()
	close(t.gone)
}

// Gone is closed when the process has ended; never by Close.
func (t *Target) Gone() <-chan struct{} { return t.gone }

// Alive tells whether the process still runs (or is stopped or frozen): false from its end on, reaped or not.
func (t *Target) Alive() bool {
	select {
	case <-t.gone:
		return false
	default:
		return t.proc.alive()
	}
}

// Signal sends a signal to exactly this process; `not_running` when it has ended.
func (t *Target) Signal(sig syscall.Signal) error {
	if err := t.proc.signal(sig); err != nil {
		if errors.Is(err, unix.ESRCH) || errors.Is(err, os.ErrClosed) {
			return fail.New("not_running", "process %d has ended", t.PID)
		}
		return fail.New("failed", "signal %d to process %d: %v", sig, t.PID, err)
	}
	return nil
}

// NetNSKey is the network namespace's device and inode: the same for containers that share it.
func (t *Target) NetNSKey() string { return t.key }

// Close lets go of the descriptors. It may be called more than once.
func (t *Target) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.closed = true
	t.dropNetNS()
	t.proc.close()
}

func (t *Target) dropNetNS() {
	if t.netns != nil {
		t.netns.Close()
		t.netns = nil
	}
}

func namespaceKey(file *os.File) (string, error) {
	conn, err := file.SyscallConn()
	if err != nil {
		return "", err
	}
	var stat unix.Stat_t
	var statErr error
	if err := conn.Control(func(fd uintptr) { statErr = unix.Fstat(int(fd), &stat) }); err != nil {
		return "", err
	}
	return keyOf(&stat), statErr
}

func keyOf(stat *unix.Stat_t) string { return fmt.Sprintf("%d:%d", stat.Dev, stat.Ino) }
