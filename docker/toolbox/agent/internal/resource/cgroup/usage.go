package cgroup

import "subjectd/toolbox/internal/fail"

// UsageMicros answers the CPU time that the group has used, in microseconds.
func (g *Group) UsageMicros() (int64, error) {
	dir, err := g.Controller("cpuacct")
	if err != nil {
		return 0, err
	}
	if dir.Version == "v1" {
		nanos, err := readInt(dir.Path, "cpuacct.usage")
		if err != nil {
			return 0, usageError(err)
		}
		return nanos / 1000, nil
	}
	text, err := read(dir.Path, "cpu.stat")
	if err != nil {
		return 0, usageError(err)
	}
	return ParseStat(text)["usage_usec"], nil
}

// Throttled is how often, and how long in microseconds over all its processors, a group had to wait for its next period.
type Throttled struct{ Times, Micros int64 }

// ReadThrottled reads the group's counters.
func (d Dir) ReadThrottled() (Throttled, error) {
	text, err := read(d.Path, "cpu.stat")
	if err != nil {
		return Throttled{}, usageError(err)
	}
	stat := ParseStat(text)
	if d.Version == "v1" {
		return Throttled{Times: stat["nr_throttled"], Micros: stat["throttled_time"] / 1000}, nil
	}
	return Throttled{Times: stat["nr_throttled"], Micros: stat["throttled_usec"]}, nil
}

func usageError(err error) error {
	if Vanished(err) {
		return fail.New("not_running", "the container's cgroup is gone")
	}
	return fail.New("failed", "cpu usage: %v", err)
}
