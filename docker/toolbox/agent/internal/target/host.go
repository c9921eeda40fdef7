package target

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// hostKey is the host's network namespace, found once: it is there as long as the host is.
var hostKey = sync.OnceValues(func() (string, error) {
	var reasons []error
	// The host's first process; where not even root may look at that one, the engine's shim that started the agent, which lives on the host too.
	for _, pid := range []int{1, os.Getppid()} {
		var stat unix.Stat_t
		if err := unix.Stat(fmt.Sprintf("/proc/%d/ns/net", pid), &stat); err != nil {
			reasons = append(reasons, fmt.Errorf("process %d: %w", pid, err))
			continue
		}
		return keyOf(&stat), nil
	}
	return "", fmt.Errorf("%v", reasons)
})
