package target

import "context"

// AwaitEnd waits until the process with this number and start time has ended: nil then, at once if it is long gone; the context's error when that came first.
func AwaitEnd(ctx context.Context, pid int, startTicks uint64) error {
	w, err := openWatch(pid, startTicks)
	if err != nil {
		return nil // no process of this number
	}
	defer w.close()
	// The pidfd may be that of a later process of the same number.
	if !w.same() {
		return nil
	}
	ended := make(chan bool, 1)
	go func() { ended <- w.wait() }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
