package delay

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// FirstNumber is where the search for a free queue number starts.
const FirstNumber = 0x5bd0

// Queue is a running delayer: one NFQUEUE of one network namespace and the thread that serves it. It holds the namespace by its socket until Close.
type Queue struct {
	Number uint16

	socket   *socket
	wake     int
	packets  atomic.Int64
	done     chan struct{}
	mu       sync.Mutex
	min, max time.Duration
	passing  bool
	passed   chan struct{}
	ending   bool
	ended    bool // the descriptors are closed
}

// Namespace is something whose network namespace can be entered.
type Namespace interface {
	InNetNS(func() error) error
}

// Open starts a delayer on a free queue number of the namespace. No packet comes before a rule sends it there.
func Open(ns Namespace, min, max time.Duration) (*Queue, error) {
	q := &Queue{min: min, max: max, done: make(chan struct{}), passed: make(chan struct{})}
	err := ns.InNetNS(func() error {
		for i := range 64 {
			socket, err := bind(uint16(FirstNumber + i))
			if errors.Is(err, errTaken) {
				continue
			}
			q.socket = socket
			return err
		}
		return fmt.Errorf("no free queue number from %d on", FirstNumber)
	})
	if err != nil {
		return nil, err
	}
	q.Number = q.socket.number
	q.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		q.socket.close()
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	go q.serve()
	return q, nil
}

// SetRange changes the delay of the packets that come from now on.
func (q *Queue) SetRange(min, max time.Duration) {
	q.mu.Lock()
	q.min, q.max = min, max
	q.kick()
	q.mu.Unlock()
}

// Pass lets everything held go on at once, in the order of arrival, and from then on every packet as it comes. It returns when nothing is held any more.
func (q *Queue) Pass() {
	q.mu.Lock()
	q.passing = true
	q.kick()
	q.mu.Unlock()
	select {
	case <-q.passed:
	case <-q.done:
	}
}

// Packets is how many packets the queue has taken so far.
func (q *Queue) Packets() int64 { return q.packets.Load() }

// Done is closed when the delayer has ended, for whatever reason.
func (q *Queue) Done() <-chan struct{} { return q.done }

// Close ends the delayer. What is still held goes on at once; what comes later passes, as long as the rule says bypass.
func (q *Queue) Close() {
	q.mu.Lock()
	q.ending = true
	q.kick()
	q.mu.Unlock()
	<-q.done
}

// kick is called with the lock held, so that it never writes to a closed (and used again) descriptor.
func (q *Queue) kick() {
	if !q.ended {
		unix.Write(q.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
}

func (q *Queue) serve() {
	// Never unlocked: the thread has another priority than the others and ends with this goroutine.
	runtime.LockOSThread()
	hurry()
	schedule := NewSchedule(0, 0, rand.Float64) // the range is set before anything is taken
	defer func() {
		for _, id := range schedule.Release() {
			q.socket.accept(id)
		}
		q.mu.Lock()
		q.ended = true
		q.socket.close()
		unix.Close(q.wake)
		q.mu.Unlock()
		close(q.done)
	}()
	passing := false
	for {
		if err := q.wait(schedule); err != nil {
			return
		}
		q.mu.Lock()
		schedule.SetRange(q.min, q.max)
		begin := q.passing && !passing
		passing = q.passing
		ending := q.ending
		q.mu.Unlock()
		if begin || ending {
			for _, id := range schedule.Release() {
				q.socket.accept(id)
			}
		}
		if err := q.take(schedule, passing || ending); err != nil || ending {
			return
		}
		if begin {
			close(q.passed)
		}
		for now := monotonic(); ; {
			id, ok := schedule.Pop(now)
			if !ok {
				break
			}
			q.socket.accept(id)
		}
	}
}

// take reads what is there, but not so much that packets already held become late.
func (q *Queue) take(schedule *Schedule, passing bool) error {
	for range 128 {
		id, payload, ok, err := q.socket.receive()
		switch {
		case err == unix.EAGAIN:
			return nil
		case err == unix.EINTR || err == unix.ENOBUFS:
			continue
		case err != nil:
			return err
		case !ok:
			continue
		}
		q.packets.Add(1)
		if passing {
			q.socket.accept(id)
			continue
		}
		schedule.Push(id, FlowOf(payload), monotonic())
	}
	return nil
}

// wait returns when there is a packet, a change, or a packet due.
func (q *Queue) wait(schedule *Schedule) error {
	fds := []unix.PollFd{{Fd: int32(q.socket.fd), Events: unix.POLLIN}, {Fd: int32(q.wake), Events: unix.POLLIN}}
	var timeout *unix.Timespec
	if due, ok := schedule.Next(); ok {
		left := unix.NsecToTimespec(max(0, due-monotonic()))
		timeout = &left
	}
	_, err := unix.Ppoll(fds, timeout, nil)
	if err != nil && err != unix.EINTR {
		return err
	}
	if fds[1].Revents != 0 {
		var value [8]byte
		unix.Read(q.wake, value[:])
	}
	return nil
}

// hurry gives the calling thread what precise times on a busy machine need, as far as the process may: real-time scheduling, else a better nice value
// (both need SYS_NICE), and timers that are not put together with others.
func hurry() {
	tid := unix.Gettid()
	realTime := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 10, Flags: unix.SCHED_FLAG_RESET_ON_FORK}
	if err := unix.SchedSetAttr(tid, &realTime, 0); err != nil {
		unix.Setpriority(unix.PRIO_PROCESS, tid, -15)
	}
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
}

func monotonic() int64 {
	var now unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return now.Nano()
}
