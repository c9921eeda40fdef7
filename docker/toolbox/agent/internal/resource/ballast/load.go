package ballast

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/resource/cgroup"
	"subjectd/toolbox/internal/resource/helper"
	"subjectd/toolbox/internal/target"
)

const (
	page  = 4096
	chunk = 32 << 20
	// reserve is what the machine itself keeps.
	reserve = 256 << 20
)

// Load is memory that is held on a container's account. It ends with Release, with the container's process, and with the agent.
type Load struct {
	proc          *helper.Proc
	Version       string
	Limit, Before int64
	After, Bytes  int64
}

// Ended is closed when the memory is no longer held; nil when none ever was.
func (l *Load) Ended() <-chan struct{} {
	if l.proc == nil {
		return nil
	}
	return l.proc.Done()
}

// Release gives the memory back; it has been given back when this returns. It may be called more than once.
func (l *Load) Release() {
	if l.proc != nil {
		l.proc.End()
	}
}

// Take has the container's working set (usage without inactive page cache) reach `percent` of its limit, and holds what that took; a group that is as full
// already gets none. `unsupported` with `no_memory_limit…` when there is no limit, `no_space` when the machine itself has too little.
//
// Page cache that nobody used lately is not counted: a node that reads files fills its limit with it, and the kernel takes it back first, so that a
// level which counts it could be reached without any pressure at all.
//
// The helper is in the node's group only while it touches the memory. The kernel charges pages to the group in which they are first touched and leaves them
// there when the process moves away again. So no process of ours stands in the way when the engine removes the group, and when the group is out of
// memory the kernel chooses among the node's own processes, whatever our score: the node feels it. On the machine's own shortage the helper, outside
// and with the highest score, is the first to go: it is the only memory that nobody needs.
func Take(ctx context.Context, t *target.Target, group *cgroup.Group, fault string, percent float64) (*Load, error) {
	if !(percent > 0 && percent < 100) {
		return nil, fail.New("bad_request", "percent has to be more than 0 and less than 100")
	}
	dir, err := group.Controller("memory")
	if err != nil {
		return nil, err
	}
	before, err := dir.ReadMemory()
	if err != nil {
		return nil, err
	}
	machine, err := readMachine()
	if err != nil {
		return nil, err
	}
	if before.Limit == nil || *before.Limit >= machine.total {
		return nil, fail.New("unsupported", "no_memory_limit: the container has no memory limit of its own (or one larger than the machine's memory)")
	}
	load := &Load{Version: dir.Version, Limit: *before.Limit, Before: before.WorkingSet, After: before.WorkingSet}
	goal := int64(float64(load.Limit) * percent / 100)
	if before.WorkingSet >= goal {
		return load, nil
	}
	if need := goal - before.WorkingSet; need > machine.available-reserve {
		return nil, fail.New("no_space", "%d bytes of memory are needed and the machine has %d available", need, machine.available)
	}
	home, err := cgroup.Home("memory")
	if err != nil {
		return nil, fail.New("unsupported", "the agent's own cgroup: %v", err)
	}
	if err := load.start(ctx, t, fault); err != nil {
		return nil, err
	}
	if err := load.fill(ctx, dir, home, goal); err != nil {
		load.Release()
		if !t.Alive() {
			return nil, fail.New("not_running", "the container's process ended meanwhile")
		}
		return nil, err
	}
	return load, nil
}

// OwnerOf is the fault and the container that a ballast's command line, from its verb on, names; empty where it is cut short.
func OwnerOf(words []string) (fault, container string) {
	if len(words) < 3 {
		return "", ""
	}
	return words[1], words[2]
}

func (l *Load) start(ctx context.Context, t *target.Target, fault string) error {
	words := []string{Verb, fault, t.ContainerID, strconv.Itoa(t.PID), strconv.FormatUint(t.StartTicks, 10)}
	var extra []*os.File
	if fd, err := unix.PidfdOpen(t.PID, 0); err == nil {
		file := os.NewFile(uintptr(fd), "pidfd")
		defer file.Close()
		extra, words = append(extra, file), append(words, "pidfd")
	}
	if !t.Alive() { // after the pidfd: it is then that process's
		return fail.New("not_running", "the container's process has ended")
	}
	var err error
	if l.proc, err = helper.Start(words, extra...); err != nil {
		return err
	}
	if err := l.said(ctx); err != nil {
		l.Release()
		return err
	}
	return nil
}

// fill enters the node's group, grows, and leaves it again.
func (l *Load) fill(ctx context.Context, dir, home cgroup.Dir, goal int64) error {
	if err := dir.Add(l.proc.PID); err != nil {
		return fail.New("failed", "the ballast cannot be put into %s: %v", dir.Leaf, err)
	}
	for l.After < goal && l.Bytes < goal {
		next := min(chunk, (goal-l.After+page-1)/page*page)
		if err := l.tell(ctx, fmt.Sprintf("grow %d", next)); err != nil {
			return err
		}
		l.Bytes += next
		now, err := dir.ReadMemory()
		if err != nil {
			return err
		}
		l.After = now.WorkingSet
	}
	if err := home.Add(l.proc.PID); err != nil {
		return fail.New("failed", "the ballast cannot be taken back to %s: %v", home.Leaf, err)
	}
	return l.tell(ctx, "expose")
}

func (l *Load) tell(ctx context.Context, line string) error {
	if err := l.proc.Tell(ctx, line); err != nil {
		return err
	}
	return l.said(ctx)
}

func (l *Load) said(ctx context.Context) error {
	line, err := l.proc.Hear(ctx)
	if err != nil {
		return err
	}
	if line != "ok" {
		return fail.New("failed", "ballast: %s", line)
	}
	return nil
}
