// Package spin measures what CPU time a control group is really given, by processes that want all of it.
package spin

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"subjectd/toolbox/internal/resource/cgroup"
)

// Verb is the helper's subcommand: `spin THREADS CPUS MAX_MS CONTAINER`.
const Verb = "spin"

// Main is the helper: it makes its threads, says `ready MICROSECONDS` (CPU time used so far), and from the line `go` on turns in place until it is killed,
// the agent is gone, or MAX_MS are over. It answers the exit status.
func Main(args []string) int {
	if len(args) < 3 {
		return 2
	}
	threads, err1 := strconv.Atoi(args[0])
	list, err2 := cgroup.ParseCPUs(args[1])
	limit, err3 := strconv.Atoi(args[2])
	if err1 != nil || err2 != nil || err3 != nil || threads < 1 {
		return 2
	}
	// The first victim, should the node be out of memory meanwhile (version 2 charges it for this process's, too).
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	runtime.GOMAXPROCS(threads + 1)
	var cpus unix.CPUSet
	for _, cpu := range list {
		cpus.Set(cpu)
	}
	start := make(chan struct{})
	placed := make(chan struct{}, threads)
	for range threads {
		go func() {
			runtime.LockOSThread()
			// Processors that went off meanwhile are no reason not to measure on the others.
			_ = unix.SchedSetaffinity(0, &cpus)
			placed <- struct{}{}
			<-start
			for {
			}
		}()
	}
	for range threads {
		<-placed
	}
	var used unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &used) != nil {
		return 1
	}
	fmt.Printf("ready %d\n", (used.Utime.Nano()+used.Stime.Nano())/1000)
	in := bufio.NewReader(os.Stdin)
	if line, err := in.ReadString('\n'); err != nil || line != "go\n" {
		return 1
	}
	close(start)
	time.AfterFunc(time.Duration(limit)*time.Millisecond, func() { os.Exit(0) })
	_, _ = in.ReadString('\n') // the pipe ends with the agent
	return 0
}
