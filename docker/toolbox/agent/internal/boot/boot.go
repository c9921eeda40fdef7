// Package boot has the clock that the watchdog trusts: it goes on while the machine sleeps, and nobody sets it.
package boot

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Now is the time since the machine's start, suspended time included.
func Now() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		// Without a clock no fault would ever end: better no agent at all, which the service notices.
		panic(fmt.Sprintf("the boot clock cannot be read: %v", err))
	}
	return time.Duration(ts.Nano())
}

// ID is the kernel's id of this start of the machine.
func ID() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(text)), nil
}
