// Package ballast takes memory that a container's control group is charged for.
package ballast

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"subjectd/toolbox/internal/target"
)

// Verb is the helper's subcommand: `ballast FAULT CONTAINER PID START_TICKS [pidfd]`.
const Verb = "ballast"

// Main is the helper. It does what its standard input says, a line each, and answers `ok` or the error: `grow BYTES` maps, touches and locks that much;
// `expose` makes it the first victim of the machine's own memory shortage. It ends with its input, or at once when the node's process has ended.
func Main(args []string) int {
	if len(args) < 4 {
		return 2
	}
	pid, err1 := strconv.Atoi(args[2])
	ticks, err2 := strconv.ParseUint(args[3], 10, 64)
	if err1 != nil || err2 != nil {
		return 2
	}
	// While it is inside the node's group it is not the one to be killed; outside, it is.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("-1000"), 0)
	go exitWith(pid, ticks, len(args) > 4 && args[4] == "pidfd")
	fmt.Println("ok")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if err := do(strings.Fields(lines.Text())); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println("ok")
	}
	return 0
}

func do(words []string) error {
	switch {
	case len(words) == 2 && words[0] == "grow":
		bytes, err := strconv.Atoi(words[1])
		if err != nil {
			return err
		}
		return grow(bytes)
	case len(words) == 1 && words[0] == "expose":
		return os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	}
	return fmt.Errorf("what is %q?", words)
}

// grow maps and touches memory. No huge pages: the kernel's background task would make them anew on the account of whichever group the process is in then.
func grow(bytes int) error {
	memory, err := unix.Mmap(-1, 0, bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return err
	}
	_ = unix.Madvise(memory, unix.MADV_NOHUGEPAGE)
	// A copy made by a fork would be charged a second time; there is none, and this keeps it so.
	_ = unix.Madvise(memory, unix.MADV_DONTFORK)
	// Locking touches all of it in one go. Without the right to it, the kernel may swap it out; where there is no swap it makes no difference.
	_ = unix.Mlock(memory)
	for i := 0; i < len(memory); i += 4096 {
		memory[i] = 1
	}
	return nil
}

// exitWith ends this process as soon as the node's has ended.
func exitWith(pid int, ticks uint64, pidfd bool) {
	runtime.LockOSThread()
	if pidfd {
		fds := []unix.PollFd{{Fd: 3, Events: unix.POLLIN}}
		for {
			n, err := unix.Poll(fds, -1)
			if err == nil && n > 0 && fds[0].Revents&unix.POLLIN != 0 {
				os.Exit(0)
			}
			if err != nil && err != unix.EINTR {
				break
			}
			if n > 0 {
				break
			}
		}
	}
	for {
		stat, err := target.ReadStat(pid)
		if err != nil || stat.StartTicks != ticks || stat.Ended() {
			os.Exit(0)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
