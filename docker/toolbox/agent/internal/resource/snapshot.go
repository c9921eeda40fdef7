package resource

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/resource/cgroup"
	"subjectd/toolbox/internal/resource/helper"
	"subjectd/toolbox/internal/target"
)

// SnapshotNode answers what a fault could change in a node's cgroup: the quota, the memory limit, the freezer, and how many of our processes are in it.
func (m *Manager) SnapshotNode(ctx context.Context, t *target.Target) (map[string]string, error) {
	values, err := m.snapshotNode(t)
	return values, coded(ctx, err)
}

func (m *Manager) snapshotNode(t *target.Target) (map[string]string, error) {
	if err := running(t); err != nil {
		return nil, err
	}
	group, err := cgroup.Open(t.PID, t.ContainerID)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	ours := map[int]bool{}
	for _, controller := range []string{"cpu", "memory", "freezer"} {
		dir, err := group.Controller(controller)
		if fail.Is(err, "unsupported") {
			continue // then no fault can change it either
		}
		if err != nil {
			return nil, err
		}
		if err := snapshotFile(values, controller, dir); err != nil {
			return nil, err
		}
		pids, err := dir.Processes()
		if err != nil {
			return nil, err
		}
		for _, pid := range pids {
			if helper.Is(pid) {
				ours[pid] = true
			}
		}
	}
	values["foreign_processes"] = strconv.Itoa(len(ours))
	return values, nil
}

func snapshotFile(values map[string]string, controller string, dir cgroup.Dir) error {
	switch controller {
	case "cpu":
		quota, err := dir.ReadQuota()
		if err != nil {
			return err
		}
		values[filepath.Base(dir.QuotaFile())] = quota.Text(dir.Version)
	case "memory":
		memory, err := dir.ReadMemory()
		if err != nil {
			return err
		}
		values["memory_limit"] = "none"
		if memory.Limit != nil {
			values["memory_limit"] = strconv.FormatInt(*memory.Limit, 10)
		}
	case "freezer":
		file, value, err := dir.FreezerState()
		if err != nil {
			return err
		}
		values[file] = value
	}
	return nil
}

// SnapshotHost answers, each sorted: `loop` devices of ours with their files, `helpers` (processes), `files` below the data directory.
func (m *Manager) SnapshotHost(ctx context.Context) (map[string][]string, error) {
	loops, err := m.volumes.Devices()
	if err != nil {
		return nil, coded(ctx, err)
	}
	found, err := helper.Find()
	if err != nil {
		return nil, coded(ctx, err)
	}
	helpers := []string{}
	for _, each := range found {
		helpers = append(helpers, each.Text())
	}
	slices.Sort(helpers)
	files := []string{}
	err = filepath.WalkDir(m.dataDir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(m.dataDir, path)
		files = append(files, name)
		return err
	})
	return map[string][]string{"loop": loops, "helpers": helpers, "files": files}, coded(ctx, err)
}
