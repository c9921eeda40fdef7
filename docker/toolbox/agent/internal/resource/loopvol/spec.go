// Package loopvol makes bounded volumes: an ext4 file system in a sparse file, on a loop device that the engine's local driver can mount.
package loopvol

import (
	"regexp"

	"subjectd/toolbox/internal/fail"
)

const (
	smallest = 4 << 20
	largest  = 1 << 44
)

var volumeName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$`)

// Spec is the volume that is asked for.
type Spec struct {
	Volume string
	Owner  string
	Bytes  int64
	UID    int
	GID    int
	Mode   uint32
}

// Volume is a volume as it is kept beside its file.
type Volume struct {
	Volume string `json:"volume"`
	Owner  string `json:"owner"`
	Bytes  int64  `json:"bytes"`
	UID    int    `json:"uid"`
	GID    int    `json:"gid"`
	Mode   uint32 `json:"mode"`
	// Number is that of its loop device; -1 while it has none.
	Number int `json:"number"`
}

// Device is the device's name on the host, for the engine; empty while it has none.
func (v Volume) Device() string {
	if v.Number < 0 {
		return ""
	}
	return hostName(v.Number)
}

func (s Spec) check() error {
	switch {
	case !volumeName.MatchString(s.Volume):
		return fail.New("bad_request", "volume: a name of at most 128 letters, digits, dots, dashes and underscores")
	case s.Bytes < smallest || s.Bytes > largest || s.Bytes%4096 != 0:
		return fail.New("bad_request", "bytes: a multiple of 4096 from %d to %d", smallest, largest)
	case s.UID < 0 || s.GID < 0:
		return fail.New("bad_request", "uid and gid: at least 0")
	case s.Mode > 0o7777:
		return fail.New("bad_request", "mode: at most 07777")
	}
	return nil
}
