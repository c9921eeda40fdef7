package helper

import (
	"runtime"
	"sync"
)

var starts = sync.OnceValue(func() chan func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for do := range work {
			do()
		}
	}()
	return work
})

// onLastingThread runs fn on a thread that lasts as long as the process. The kernel sends a child's parent-death signal when the *thread* that made it
// ends, and threads that have entered a namespace are thrown away here.
func onLastingThread(fn func() error) error {
	done := make(chan error, 1)
	starts() <- func() { done <- fn() }
	return <-done
}
