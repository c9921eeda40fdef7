package cgroup

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"subjectd/toolbox/internal/fail"
)

// Frozen tells whether the group stands still by its freezer, whoever asked for it.
func (d Dir) Frozen() (bool, error) {
	if d.Version == "v1" {
		state, err := read(d.Path, "freezer.state")
		return state == "FROZEN", err
	}
	text, err := read(d.Path, "cgroup.events")
	return ParseStat(text)["frozen"] == 1, err
}

// FreezerState is the freezer's file as it is: for comparing before with after.
func (d Dir) FreezerState() (file, value string, err error) {
	file = "freezer.state"
	if d.Version == "v2" {
		file = "cgroup.freeze"
	}
	value, err = read(d.Path, file)
	return file, value, err
}

// set freezes the group or lets it go on, and waits until it is so.
func (d Dir) set(ctx context.Context, frozen bool) error {
	file, value := "freezer.state", "THAWED"
	switch {
	case d.Version == "v1" && frozen:
		value = "FROZEN"
	case d.Version == "v2" && frozen:
		file, value = "cgroup.freeze", "1"
	case d.Version == "v2":
		file, value = "cgroup.freeze", "0"
	}
	if err := write(value, d.Path, file); err != nil {
		return err
	}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		is, err := d.Frozen()
		if err != nil || is == frozen {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Thaw lets a container go on by its freezer, in every hierarchy that has a directory of it. No such directory is no error. It needs no process of the
// container: directories are found by the id in their name.
func Thaw(ctx context.Context, id string) error {
	v1, v2, err := freezers(ctx, id)
	if err != nil {
		return err
	}
	return setAll(ctx, append(v1, v2...), false)
}

// Freeze freezes a container in the hierarchy in which the engine's runtime does it. No such directory is no error.
func Freeze(ctx context.Context, id string) error {
	v1, v2, err := freezers(ctx, id)
	if err != nil {
		return err
	}
	if len(v1) > 0 {
		return setAll(ctx, v1, true)
	}
	return setAll(ctx, v2, true)
}

func setAll(ctx context.Context, dirs []Dir, frozen bool) error {
	var failed error
	for _, dir := range dirs {
		if err := dir.set(ctx, frozen); err != nil && !Vanished(err) {
			failed = errors.Join(failed, err)
		}
	}
	if failed == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	return fail.New("failed", "freezer: %v", failed)
}

// freezers answers a container's directories with a freezer, by version.
func freezers(ctx context.Context, id string) (v1, v2 []Dir, err error) {
	if len(id) < 12 {
		return nil, nil, fail.New("bad_request", "a container's cgroup is found by its full id")
	}
	mounts, err := ReadMounts()
	if err != nil {
		return nil, nil, fail.New("failed", "mounts: %v", err)
	}
	look := func(version string, mounts []Mount) (dirs []Dir) {
		for _, mount := range mounts {
			paths, failed := find(ctx, mount.Point, id)
			err = errors.Join(err, failed)
			for _, path := range paths {
				dirs = append(dirs, Dir{Version: version, Path: path, Leaf: path, Point: mount.Point})
			}
		}
		return dirs
	}
	v1, v2 = look("v1", mounts.V1["freezer"]), look("v2", mounts.V2)
	return v1, v2, err
}

// find answers the directories of a container under a mount: first where the engine's two drivers put them, then anywhere.
func find(ctx context.Context, point, id string) ([]string, error) {
	var found []string
	for _, usual := range []string{"docker/" + id, "system.slice/docker-" + id + ".scope"} {
		if _, err := read(point, usual, "cgroup.procs"); err == nil {
			found = append(found, filepath.Join(point, usual))
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	err := filepath.WalkDir(point, func(path string, entry fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return nil // a group that went away meanwhile
		}
		if !entry.IsDir() {
			return nil
		}
		if _, is := Own("/"+entry.Name(), id); is {
			found = append(found, path)
			return fs.SkipDir
		}
		return nil
	})
	slices.Sort(found)
	return found, err
}
