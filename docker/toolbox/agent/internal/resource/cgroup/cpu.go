package cgroup

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"subjectd/toolbox/internal/fail"
)

// The kernel's bounds for a quota and its period, in microseconds (kernel/sched/core.c, min_cfs_quota_period and max_cfs_quota_period).
const (
	minQuota  = 1000
	maxPeriod = 1_000_000
	noQuota   = -1
)

// Quota is how much CPU time a group gets in each period, in microseconds; -1 is no bound.
type Quota struct{ Quota, Period int64 }

// Text is the quota as one value, `quota period`, in the spelling of the version's own files (`-1` or `max`).
func (q Quota) Text(version string) string {
	if q.Quota == noQuota && version == "v2" {
		return fmt.Sprintf("max %d", q.Period)
	}
	return fmt.Sprintf("%d %d", q.Quota, q.Period)
}

// CPUs is the bound in whole processors; +Inf when there is none.
func (q Quota) CPUs() float64 {
	if q.Quota == noQuota {
		return math.Inf(1)
	}
	return float64(q.Quota) / float64(q.Period)
}

// ParseQuota reads what Text wrote, and the file cpu.max.
func ParseQuota(text string) (Quota, error) {
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return Quota{}, fmt.Errorf("not a cpu quota: %q", text)
	}
	q := Quota{Quota: noQuota}
	var err error
	if fields[0] != "max" {
		if q.Quota, err = strconv.ParseInt(fields[0], 10, 64); err != nil {
			return Quota{}, fmt.Errorf("not a cpu quota: %q", text)
		}
	}
	if q.Period, err = strconv.ParseInt(fields[1], 10, 64); err != nil || q.Period <= 0 {
		return Quota{}, fmt.Errorf("not a cpu quota: %q", text)
	}
	return q, nil
}

// Lower answers the quota that takes `percent` of the allowance (in processors) away. It keeps the period, unless the quota would fall below the kernel's
// smallest: then the period grows as far as it may. `bad_request` outside 0 < percent < 100, `unsupported` when nothing smaller than now is possible.
func Lower(now Quota, allowance, percent float64) (Quota, error) {
	if !(percent > 0 && percent < 100) {
		return Quota{}, fail.New("bad_request", "percent has to be more than 0 and less than 100")
	}
	left := allowance * (1 - percent/100)
	period := now.Period
	if left*float64(period) < minQuota {
		period = max(period, min(maxPeriod, int64(math.Ceil(minQuota/left-1e-6))))
	}
	ours := Quota{Quota: max(minQuota, int64(math.Round(left*float64(period)))), Period: period}
	if ours.CPUs() >= min(allowance, now.CPUs()) {
		return Quota{}, fail.New("unsupported", "the container has the smallest allowance of CPU time already")
	}
	return ours, nil
}

// QuotaFile is the file that names a quota in plans and records. In version 1 the period is its neighbour.
func (d Dir) QuotaFile() string {
	if d.Version == "v2" {
		return d.Path + "/cpu.max"
	}
	return d.Path + "/cpu.cfs_quota_us"
}

// ReadQuota reads the group's own quota.
func (d Dir) ReadQuota() (Quota, error) { return readQuota(d.Version, d.Path) }

func readQuota(version, path string) (Quota, error) {
	if version == "v2" {
		text, err := read(path, "cpu.max")
		if err != nil {
			return Quota{}, err
		}
		return ParseQuota(text)
	}
	quota, err := readInt(path, "cpu.cfs_quota_us")
	if err != nil {
		return Quota{}, err
	}
	period, err := readInt(path, "cpu.cfs_period_us")
	return Quota{Quota: quota, Period: period}, err
}

// WriteQuota writes the group's quota. In version 1 these are two files: the order is the one in which the ratio between is never larger than both ends'.
func (d Dir) WriteQuota(to Quota) error {
	if d.Version == "v2" {
		return explain(write(to.Text("v2"), d.Path, "cpu.max"))
	}
	now, err := d.ReadQuota()
	if err != nil {
		return explain(err)
	}
	quota := func() error { return write(strconv.FormatInt(to.Quota, 10), d.Path, "cpu.cfs_quota_us") }
	period := func() error {
		if to.Period == now.Period {
			return nil
		}
		return write(strconv.FormatInt(to.Period, 10), d.Path, "cpu.cfs_period_us")
	}
	steps := []func() error{quota, period}
	if to.Period > now.Period {
		steps = []func() error{period, quota}
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return explain(err)
		}
	}
	return nil
}

func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case Vanished(err):
		return fail.New("not_running", "the container's cgroup is gone")
	case errors.Is(err, unix.EINVAL):
		return fail.New("unsupported", "the kernel refuses this cpu quota (a burst, or a group below with more): %v", err)
	case errors.Is(err, unix.EROFS), errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return fail.New("unsupported", "the cgroup cannot be written: %v", err)
	}
	return fail.New("failed", "cpu quota: %v", err)
}

// Vanished tells whether an error says that the group has been removed.
func Vanished(err error) bool { return errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENODEV) }

// Allowance answers how many processors the container may use: its own bound, those of the groups above, and the processors of its cpuset.
func (g *Group) Allowance() (float64, []int, error) {
	cpus, err := g.CPUs()
	if err != nil {
		return 0, nil, err
	}
	allowance := float64(len(cpus))
	dir, err := g.Controller("cpu")
	if err != nil {
		return 0, nil, err
	}
	for _, above := range dir.Above() {
		if quota, err := readQuota(dir.Version, above); err == nil {
			allowance = min(allowance, quota.CPUs())
		}
	}
	return allowance, cpus, nil
}

// CPUs answers the processors that the container may run on: its cpuset's, or all that are online.
func (g *Group) CPUs() ([]int, error) {
	if dir, err := g.Controller("cpuset"); err == nil {
		for _, name := range []string{"cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus"} {
			if text, err := read(dir.Path, name); err == nil && text != "" {
				return ParseCPUs(text)
			}
		}
	}
	text, err := read("/sys/devices/system/cpu/online")
	if err != nil {
		return nil, fail.New("failed", "online processors: %v", err)
	}
	return ParseCPUs(text)
}
