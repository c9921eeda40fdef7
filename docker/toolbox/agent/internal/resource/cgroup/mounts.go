// Package cgroup finds a container's control group and reads and writes it, in version 1 and 2 of the interface alike.
package cgroup

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Mount is one mounted hierarchy: what of it is visible (Root) and where (Point).
type Mount struct{ Root, Point string }

// Mounts are the hierarchies this process sees: those of version 1 by controller, and those of version 2.
type Mounts struct {
	V1 map[string][]Mount
	V2 []Mount
}

// ParseMounts reads the text of /proc/self/mountinfo.
func ParseMounts(text string) Mounts {
	mounts := Mounts{V1: map[string][]Mount{}}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		dash := slices.Index(fields, "-")
		if dash < 6 || len(fields) < dash+4 {
			continue
		}
		mount := Mount{Root: unescape(fields[3]), Point: unescape(fields[4])}
		switch fields[dash+1] {
		case "cgroup":
			for _, option := range strings.Split(fields[dash+3], ",") {
				mounts.V1[option] = append(mounts.V1[option], mount)
			}
		case "cgroup2":
			mounts.V2 = append(mounts.V2, mount)
		}
	}
	return mounts
}

// ReadMounts answers this process's own view.
func ReadMounts() (Mounts, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return Mounts{}, err
	}
	return ParseMounts(string(text)), nil
}

// Of answers the mounts of one version 1 controller, or of version 2 for the empty name.
func (m Mounts) Of(controller string) []Mount {
	if controller == "" {
		return m.V2
	}
	return m.V1[controller]
}

// Dir answers the directory of a group's path under this mount; false when the mount does not show it.
func (m Mount) Dir(path string) (string, bool) {
	if strings.HasPrefix(path, "/..") {
		return "", false // outside this process's cgroup namespace
	}
	if m.Root == "/" {
		return filepath.Join(m.Point, path), true
	}
	rest, inside := strings.CutPrefix(path, m.Root)
	if !inside || (rest != "" && rest[0] != '/') {
		return "", false
	}
	return filepath.Join(m.Point, rest), true
}

func unescape(text string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(text)
}
