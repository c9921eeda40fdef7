package cgroup

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Add moves a process, all its threads included, into the group's leaf. What memory it has been charged for stays charged where it was.
func (d Dir) Add(pid int) error { return write(strconv.Itoa(pid), d.Leaf, "cgroup.procs") }

// Processes answers the processes of the group and of those below its leaf's path that are its own; none when the group is gone.
func (d Dir) Processes() ([]int, error) {
	text, err := read(d.Leaf, "cgroup.procs")
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENODEV) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, field := range strings.Fields(text) {
		if pid, err := strconv.Atoi(field); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// Home answers the group that a process of the agent's own is in, so that a helper can be taken back out of a container's.
func Home(controller string) (Dir, error) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return Dir{}, err
	}
	mounts, err := ReadMounts()
	if err != nil {
		return Dir{}, err
	}
	member := ParseMembership(string(text))
	version := "v1"
	path, is := member[controller]
	if !is {
		version, controller, path = "v2", "", member[""]
	}
	list := mounts.Of(controller)
	for i := len(list) - 1; i >= 0; i-- {
		if dir, seen := list[i].Dir(path); seen {
			if _, err := os.Stat(dir); err == nil {
				return Dir{Version: version, Path: dir, Leaf: dir, Point: list[i].Point}, nil
			}
		}
	}
	return Dir{}, os.ErrNotExist
}

// Version answers "v1" or "v2", whichever hierarchy has the cpu controller here; an empty text when none has.
func Version(mounts Mounts) string {
	if len(mounts.V1["cpu"]) > 0 {
		return "v1"
	}
	for _, mount := range mounts.V2 {
		if text, err := read(mount.Point, "cgroup.controllers"); err == nil && strings.Contains(" "+text+" ", " cpu ") {
			return "v2"
		}
	}
	return ""
}

// Writable tells whether the hierarchy with the cpu controller may be written here: an error that says why not.
func Writable(mounts Mounts) error {
	list := mounts.V2
	if len(mounts.V1["cpu"]) > 0 {
		list = mounts.V1["cpu"]
	}
	if len(list) == 0 {
		return os.ErrNotExist
	}
	return unix.Access(list[len(list)-1].Point+"/cgroup.procs", unix.W_OK)
}
