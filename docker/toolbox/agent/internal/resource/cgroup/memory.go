package cgroup

import (
	"math"
	"strconv"

	"subjectd/toolbox/internal/fail"
)

// Memory is what a group's memory controller says, in bytes.
type Memory struct {
	// Limit is nil when the group itself has none.
	Limit *int64
	// Usage is everything charged, the page cache included.
	Usage int64
	// WorkingSet is the usage without the page cache that nobody has used lately (inactive_file): what `docker stats` and kubelet call memory usage.
	WorkingSet int64
}

// ReadMemory reads the group's own figures.
func (d Dir) ReadMemory() (Memory, error) {
	limitFile, usageFile, inactive := "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
	if d.Version == "v2" {
		limitFile, usageFile, inactive = "memory.max", "memory.current", "inactive_file"
	}
	text, err := read(d.Path, limitFile)
	if err != nil {
		return Memory{}, memoryError(err)
	}
	usage, err := readInt(d.Path, usageFile)
	if err != nil {
		return Memory{}, memoryError(err)
	}
	stat, err := read(d.Path, "memory.stat")
	if err != nil {
		return Memory{}, memoryError(err)
	}
	return Memory{Limit: parseLimit(text), Usage: usage, WorkingSet: max(0, usage-ParseStat(stat)[inactive])}, nil
}

// parseLimit: `max` in version 2; in version 1 "no limit" is the largest number of pages the kernel counts, just below 2^63.
func parseLimit(text string) *int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > math.MaxInt64/2 {
		return nil
	}
	return &n
}

func memoryError(err error) error {
	if Vanished(err) {
		return fail.New("not_running", "the container's memory cgroup is gone")
	}
	return fail.New("failed", "memory cgroup: %v", err)
}
