package netfault

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// scratch is a network namespace of our own, empty but for lo, for trying things out.
type scratch struct{ file *os.File }

func newScratch() (*scratch, error) {
	type made struct {
		file *os.File
		err  error
	}
	done := make(chan made)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			done <- made{nil, fmt.Errorf("a network namespace of our own: %w", err)}
			return
		}
		file, err := os.Open("/proc/thread-self/ns/net")
		done <- made{file, err}
	}()
	m := <-done
	return &scratch{m.file}, m.err
}

// InNetNS is as a target's.
func (s *scratch) InNetNS(fn func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if err := unix.Setns(int(s.file.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- fn()
	}()
	return <-done
}

func (s *scratch) close() { s.file.Close() }
