package target

import (
	"runtime"

	"golang.org/x/sys/unix"

	"subjectd/toolbox/internal/fail"
)

// A thread that has changed its namespace ends with its goroutine, all but the process's first one, which cannot: it would hold that namespace for
// good. So the main goroutine has it to itself.
func init() { runtime.LockOSThread() }

// InNetNS runs fn on a thread of its own inside the target's network namespace; that thread is thrown away afterwards. Sockets made and processes
// started inside fn belong to the namespace; goroutines started inside fn do not. `not_running` when the process has ended. Commands started in fn must
// not ask for Pdeathsig: it would be sent when the thread ends.
func (t *Target) InNetNS(fn func() error) error {
	done := make(chan error, 1)
	go func() {
		// Never unlocked: the runtime ends the thread instead of using it again.
		runtime.LockOSThread()
		if err := t.enter(); err != nil {
			done <- err
			return
		}
		done <- fn()
	}()
	return <-done
}

func (t *Target) enter() error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.netns == nil {
		return fail.New("not_running", "process %d has ended", t.PID)
	}
	conn, err := t.netns.SyscallConn()
	if err != nil {
		return err
	}
	var entered error
	if err := conn.Control(func(fd uintptr) { entered = unix.Setns(int(fd), unix.CLONE_NEWNET) }); err != nil {
		return err
	}
	if entered != nil {
		return fail.New("failed", "the network namespace of process %d cannot be entered: %v", t.PID, entered)
	}
	return nil
}
