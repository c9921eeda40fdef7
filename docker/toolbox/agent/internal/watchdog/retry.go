package watchdog

import "time"

const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// retryAfter is the pause after the nth attempt that failed (from 1): 1, 2, 4, … 60 s.
func retryAfter(n int) time.Duration {
	pause := firstRetry
	for i := 1; i < n && pause < lastRetry; i++ {
		pause *= 2
	}
	return min(pause, lastRetry)
}
