package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"subjectd/toolbox/internal/fail"
)

// Membership is where a process is: a path by version 1 controller, and that of version 2 under the empty name.
type Membership map[string]string

// ParseMembership reads the text of /proc/PID/cgroup.
func ParseMembership(text string) Membership {
	member := Membership{}
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for _, controller := range strings.Split(parts[1], ",") {
			member[controller] = parts[2]
		}
	}
	return member
}

// Group is one container's control group, in as many hierarchies as there are.
type Group struct {
	ID     string
	mounts Mounts
	member Membership
}

// Open reads where a process of the container is. `not_running` when there is no such process.
func Open(pid int, id string) (*Group, error) {
	if len(id) < 12 {
		return nil, fail.New("bad_request", "a container's cgroup is found by its full id")
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return nil, fail.New("not_running", "cgroup of process %d: %v", pid, err)
	}
	mounts, err := ReadMounts()
	if err != nil {
		return nil, fail.New("failed", "mounts: %v", err)
	}
	return &Group{ID: id, mounts: mounts, member: ParseMembership(string(text))}, nil
}

// Dir is a container's directory in the hierarchy of one controller.
type Dir struct {
	// Version is "v1" or "v2".
	Version string
	// Path is the container's own directory: what is written there holds for all of it.
	Path string
	// Leaf is where the container's first process is; the same, or below it when the container makes groups of its own. Only leaves may get processes in version 2.
	Leaf string
	// Point is where the hierarchy is mounted.
	Point string
}

// Controller answers the container's directory for `cpu`, `cpuacct`, `cpuset`, `memory` or `freezer`. `unsupported` when the container has none of its own.
func (g *Group) Controller(name string) (Dir, error) {
	if path, is := g.member[name]; is && name != "" {
		return g.dir("v1", name, path)
	}
	path, is := g.member[""]
	if !is {
		return Dir{}, fail.New("unsupported", "there is no %s controller", name)
	}
	dir, err := g.dir("v2", "", path)
	if err != nil {
		return Dir{}, err
	}
	// Usage is counted in every group, with or without the cpu controller.
	probe := map[string]string{"cpu": "cpu.max", "cpuacct": "cpu.stat", "cpuset": "cpuset.cpus.effective", "memory": "memory.current", "freezer": "cgroup.freeze"}[name]
	if _, err := os.Stat(filepath.Join(dir.Path, probe)); err != nil {
		return Dir{}, fail.New("unsupported", "the %s controller is not on in the container's cgroup", name)
	}
	return dir, nil
}

func (g *Group) dir(version, controller, path string) (Dir, error) {
	own, is := Own(path, g.ID)
	if !is {
		return Dir{}, fail.New("unsupported", "the cgroup %s is not the container's own", path)
	}
	mounts := g.mounts.Of(controller)
	for i := len(mounts) - 1; i >= 0; i-- {
		top, seen := mounts[i].Dir(own)
		leaf, _ := mounts[i].Dir(path)
		if !seen {
			continue
		}
		if info, err := os.Stat(top); err == nil && info.IsDir() {
			return Dir{Version: version, Path: top, Leaf: leaf, Point: mounts[i].Point}, nil
		}
	}
	return Dir{}, fail.New("not_running", "the cgroup %s is not there", own)
}

// Own cuts a group's path off behind the member that carries the container's id, as the engine's drivers write it (`/docker/ID`,
// `/system.slice/docker-ID.scope`); false when no member does.
func Own(path, id string) (string, bool) {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		bare := strings.TrimSuffix(part, ".scope")
		if bare == id || strings.HasSuffix(bare, "-"+id) {
			return strings.Join(parts[:i+1], "/"), true
		}
	}
	return "", false
}

// Above answers the directory and those above it that are still below the mount point, the directory first.
func (d Dir) Above() []string {
	var dirs []string
	for dir := d.Path; dir != d.Point && strings.HasPrefix(dir, d.Point+"/"); dir = filepath.Dir(dir) {
		dirs = append(dirs, dir)
	}
	return dirs
}
