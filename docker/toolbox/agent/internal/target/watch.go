package target

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const pollEvery = 20 * time.Millisecond

// watch follows one process: by a pidfd, which is exact, or where the kernel has none by its number and start time together.
type watch struct {
	pid        int
	startTicks uint64
	pidfd      *os.File // nil where the kernel has no pidfd
	stop       chan struct{}
	once       sync.Once
}

func openWatch(pid int, startTicks uint64) (*watch, error) {
	w := &watch{pid: pid, startTicks: startTicks, stop: make(chan struct{})}
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) {
		return w, nil
	}
	if err != nil {
		return nil, err
	}
	// Non-blocking, so that the runtime's poller takes it: waiting costs no thread and Close ends it.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, err
	}
	w.pidfd = os.NewFile(uintptr(fd), "pidfd")
	return w, nil
}

// HasPidfd tells whether this kernel opens processes by descriptor.
func HasPidfd() bool {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
}

// wait blocks until the process has ended: true then, false when close came first.
func (w *watch) wait() bool {
	if w.pidfd != nil {
		conn, err := w.pidfd.SyscallConn()
		if err != nil {
			return false
		}
		if err := conn.Read(func(fd uintptr) bool { return readable(int(fd)) }); err == nil {
			return true
		} else if errors.Is(err, os.ErrClosed) {
			return false
		}
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if !w.same() {
			return true
		}
		select {
		case <-w.stop:
			return false
		case <-tick.C:
		}
	}
}

func (w *watch) alive() bool {
	if w.pidfd != nil {
		if conn, err := w.pidfd.SyscallConn(); err == nil {
			ended := false
			if err := conn.Control(func(fd uintptr) { ended = readable(int(fd)) }); err == nil {
				return !ended
			}
		}
	}
	return w.same()
}

func (w *watch) signal(sig syscall.Signal) error {
	if w.pidfd == nil {
		if !w.same() {
			return unix.ESRCH
		}
		return unix.Kill(w.pid, sig)
	}
	conn, err := w.pidfd.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	if err := conn.Control(func(fd uintptr) { sent = unix.PidfdSendSignal(int(fd), sig, nil, 0) }); err != nil {
		return err
	}
	return sent
}

func (w *watch) same() bool {
	stat, err := ReadStat(w.pid)
	return err == nil && stat.StartTicks == w.startTicks && !stat.Ended()
}

func (w *watch) close() {
	w.once.Do(func() {
		close(w.stop)
		if w.pidfd != nil {
			w.pidfd.Close()
		}
	})
}

// readable: a pidfd becomes readable when its process ends, before it is reaped.
func readable(pidfd int) bool {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return err == nil && n > 0
	}
}
