package cgroup

import (
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"subjectd/toolbox/internal/fail"
)

// Restore writes the quota `before` into a file that QuotaFile named, while it still holds `ours`, or what is between the two after a crash in the
// middle. A group that is gone is no error. `bad_request` for a file that is no cpu quota of this container.
func Restore(file, id, before, ours string) error {
	dir, err := named(file, id)
	if err != nil {
		return err
	}
	was, err := ParseQuota(before)
	if err != nil {
		return fail.New("bad_request", "before: %v", err)
	}
	mine, err := ParseQuota(ours)
	if err != nil {
		return fail.New("bad_request", "ours: %v", err)
	}
	now, err := dir.ReadQuota()
	if Vanished(err) {
		return nil
	}
	if err != nil {
		return explain(err)
	}
	if !Holds(now, was, mine) {
		return nil
	}
	if err := dir.WriteQuota(was); err != nil && !fail.Is(err, "not_running") {
		return err
	}
	return nil
}

// Holds tells whether a quota is the one that we wrote, or a mixture of it and the one before, as two files that are written one after the other can leave.
func Holds(now, before, ours Quota) bool {
	if now == before {
		return false
	}
	return (now.Quota == ours.Quota || now.Quota == before.Quota) && (now.Period == ours.Period || now.Period == before.Period)
}

// named answers the directory of a quota file out of a plan or record, which is believed only as far as it is a control group's file under the container's id.
func named(file, id string) (Dir, error) {
	path, name := filepath.Split(filepath.Clean(file))
	path = strings.TrimSuffix(path, "/")
	version := map[string]string{"cpu.max": "v2", "cpu.cfs_quota_us": "v1"}[name]
	own, is := Own(path, id)
	if version == "" || len(id) < 12 || !is || own != path || !filepath.IsAbs(path) {
		return Dir{}, fail.New("bad_request", "%s is no cpu quota of container %s", file, id)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err == nil && fs.Type != unix.CGROUP_SUPER_MAGIC && fs.Type != unix.CGROUP2_SUPER_MAGIC {
		return Dir{}, fail.New("bad_request", "%s is not in a cgroup file system", file)
	}
	return Dir{Version: version, Path: path, Leaf: path}, nil
}

// StillHolds tells whether a quota file still holds what we wrote; no longer, once the group is gone.
func StillHolds(file, id, before, ours string) bool {
	dir, err := named(file, id)
	if err != nil {
		return false
	}
	was, err1 := ParseQuota(before)
	mine, err2 := ParseQuota(ours)
	now, err3 := dir.ReadQuota()
	return err1 == nil && err2 == nil && err3 == nil && Holds(now, was, mine)
}
