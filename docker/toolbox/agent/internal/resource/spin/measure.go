package spin

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/resource/cgroup"
	"subjectd/toolbox/internal/resource/helper"
)

// Result is what spinners in a group got.
type Result struct {
	Wall, CPU, NodeCPU time.Duration
	Throttled          cgroup.Throttled
	HostIdlePercent    float64
	Threads            int
}

// Measure puts one spinning thread more into the container's group than its allowance has whole processors, as far as there are processors, for this long. None of them is there any
// more when it answers. NodeCPU is what the container's own processes used in that time, -1 when the kernel does not count it.
func Measure(ctx context.Context, group *cgroup.Group, length time.Duration) (Result, error) {
	allowance, cpus, err := group.Allowance()
	if err != nil {
		return Result{}, err
	}
	dir, err := group.Controller("cpu")
	if err != nil {
		return Result{}, err
	}
	if freezer, err := group.Controller("freezer"); err == nil {
		if frozen, err := freezer.Frozen(); err == nil && frozen {
			return Result{}, fail.New("conflict", "the container is frozen: it gets no CPU time at all")
		}
	}
	home, err := cgroup.Home("cpu")
	if err != nil {
		return Result{}, fail.New("unsupported", "the agent's own cgroup: %v", err)
	}
	// One more than the allowance's whole processors: as many threads as the quota has processors could use it up to the last, and never be throttled.
	threads := max(1, min(len(cpus), int(math.Floor(allowance+1e-9))+1))
	spinner, err := helper.Start([]string{Verb, strconv.Itoa(threads), list(cpus), strconv.FormatInt((length + 10*time.Second).Milliseconds(), 10), group.ID})
	if err != nil {
		return Result{}, err
	}
	ended := false
	end := func() {
		if ended {
			return
		}
		ended = true
		spinner.Kill()
		// Out of the group, where it may have to wait for its next period even to die.
		_ = home.Add(spinner.PID)
	}
	defer spinner.End()
	defer end()

	line, err := spinner.Hear(ctx)
	if err != nil {
		return Result{}, err
	}
	before, err := strconv.ParseInt(strings.TrimPrefix(line, "ready "), 10, 64)
	if err != nil {
		return Result{}, fail.New("failed", "the spinner said %q", line)
	}
	if err := dir.Add(spinner.PID); err != nil {
		return Result{}, fail.New("failed", "the spinner cannot be put into %s: %v", dir.Leaf, err)
	}
	nodeBefore, nodeErr := group.UsageMicros()
	throttledBefore, err := dir.ReadThrottled()
	if err != nil {
		return Result{}, err
	}
	hostBefore, err := readHost()
	if err != nil {
		return Result{}, err
	}
	start := time.Now()
	if err := spinner.Tell(ctx, "go"); err != nil {
		return Result{}, err
	}
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return Result{}, ctx.Err()
	case <-spinner.Done():
		return Result{}, fail.New("failed", "the spinner has ended before its time")
	}
	wall := time.Since(start)
	throttled, throttledErr := dir.ReadThrottled()
	hostAfter, hostErr := readHost()
	end()
	nodeAfter, nodeAfterErr := group.UsageMicros()
	total, err := spinner.Reap(ctx)
	if err != nil {
		return Result{}, err
	}
	if throttledErr != nil {
		return Result{}, throttledErr
	}
	if hostErr != nil {
		return Result{}, hostErr
	}
	got := time.Duration(total-before) * time.Microsecond
	node := time.Duration(-1)
	if nodeErr == nil && nodeAfterErr == nil {
		node = time.Duration(nodeAfter-nodeBefore) * time.Microsecond
		if sameMount(group) {
			node = max(0, node-got)
		}
	}
	return Result{
		Wall: wall, CPU: got, NodeCPU: node, Threads: threads,
		Throttled:       cgroup.Throttled{Times: throttled.Times - throttledBefore.Times, Micros: throttled.Micros - throttledBefore.Micros},
		HostIdlePercent: hostAfter.idleSince(hostBefore),
	}, nil
}

// sameMount tells whether usage is counted in the very hierarchy that the spinner was put into.
func sameMount(group *cgroup.Group) bool {
	cpu, err1 := group.Controller("cpu")
	acct, err2 := group.Controller("cpuacct")
	return err1 == nil && err2 == nil && cgroup.SameFile(cpu.Path, acct.Path)
}

func list(cpus []int) string {
	words := make([]string, len(cpus))
	for i, cpu := range cpus {
		words[i] = fmt.Sprint(cpu)
	}
	return strings.Join(words, ",")
}
