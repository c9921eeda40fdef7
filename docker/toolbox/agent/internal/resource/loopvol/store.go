package loopvol

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/locks"
)

// Store keeps volumes in a directory: NAME.img, and NAME.json about it.
type Store struct {
	dir   string
	locks locks.Keyed
}

// New answers the store in this directory, which is made when the first volume is.
func New(dir string) *Store { return &Store{dir: dir} }

func (s *Store) image(volume string) string { return filepath.Join(s.dir, volume+".img") }
func (s *Store) record(volume string) string {
	return filepath.Join(s.dir, volume+".json")
}

// Create makes a volume, anew when there is one of that name. `conflict` while that one is mounted, `no_space` when the file system below has less than
// the volume could come to hold, `unsupported` where there are no loop devices.
func (s *Store) Create(ctx context.Context, spec Spec) (Volume, error) {
	if err := spec.check(); err != nil {
		return Volume{}, err
	}
	release, err := s.locks.Exclusive(ctx, spec.Volume)
	if err != nil {
		return Volume{}, err
	}
	defer release()
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return Volume{}, fail.New("failed", "%v", err)
	}
	if err := s.remove(ctx, spec.Volume); err != nil {
		return Volume{}, err
	}
	var below unix.Statfs_t
	if err := unix.Statfs(s.dir, &below); err != nil {
		return Volume{}, fail.New("failed", "%s: %v", s.dir, err)
	}
	if room := int64(below.Bavail) * below.Bsize; spec.Bytes > room {
		return Volume{}, fail.New("no_space", "a volume of %d bytes: the host has %d left", spec.Bytes, room)
	}
	volume, err := s.make(ctx, spec)
	if err != nil {
		// Nothing of a volume that did not come to be stays, even when the caller's time is up.
		if left := s.remove(context.WithoutCancel(ctx), spec.Volume); left != nil {
			err = fail.New("failed", "%v; and its rest: %v", err, left)
		}
		return Volume{}, err
	}
	return volume, nil
}

func (s *Store) make(ctx context.Context, spec Spec) (Volume, error) {
	volume := Volume{Volume: spec.Volume, Owner: spec.Owner, Bytes: spec.Bytes, UID: spec.UID, GID: spec.GID, Mode: spec.Mode, Number: -1}
	image, err := os.OpenFile(s.image(spec.Volume), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return volume, fail.New("failed", "%v", err)
	}
	defer image.Close()
	if err := image.Truncate(spec.Bytes); err != nil {
		return volume, fail.New("failed", "%v", err)
	}
	if err := format(ctx, image.Name(), spec.UID, spec.GID); err != nil {
		return volume, err
	}
	dev := openDevices()
	if volume.Number, err = dev.attach(ctx, image, spec.Volume, -1); err != nil {
		volume.Number = -1
		return volume, attachError(err)
	}
	if err := s.keep(volume); err != nil {
		return volume, err
	}
	return volume, inside(dev.path(volume.Number), func(root int) error { return settle(root, spec) })
}

func attachError(err error) error {
	for _, missing := range []error{os.ErrNotExist, unix.EPERM, unix.EACCES, unix.ENXIO, unix.ENODEV} {
		if errors.Is(err, missing) {
			return fail.New("unsupported", "loop devices: %v", err)
		}
	}
	var known *fail.Error
	if errors.As(err, &known) {
		return err
	}
	return fail.New("failed", "loop device: %v", err)
}

// Remove takes a volume away. No such volume is no error; `conflict` while it is mounted.
func (s *Store) Remove(ctx context.Context, volume string) error {
	if !volumeName.MatchString(volume) {
		return fail.New("bad_request", "volume: not a volume's name")
	}
	release, err := s.locks.Exclusive(ctx, volume)
	if err != nil {
		return err
	}
	defer release()
	return s.remove(ctx, volume)
}

func (s *Store) remove(ctx context.Context, volume string) error {
	if number, is, err := s.number(volume); err != nil {
		return err
	} else if is {
		if err := openDevices().detach(ctx, number); err != nil {
			return attachError(err)
		}
	}
	for _, path := range []string{s.image(volume), s.record(volume)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fail.New("failed", "%v", err)
		}
	}
	return nil
}

// number answers the device that carries the volume's file now, whatever the record says.
func (s *Store) number(volume string) (int, bool, error) {
	var image unix.Stat_t
	if err := unix.Stat(s.image(volume), &image); errors.Is(err, unix.ENOENT) {
		return -1, false, nil
	} else if err != nil {
		return -1, false, fail.New("failed", "%v", err)
	}
	dev := openDevices()
	if kept, err := s.read(volume); err == nil && kept.Number >= 0 && attached(kept.Number) && dev.backs(kept.Number, &image) {
		return kept.Number, true, nil
	}
	loops, err := dev.list()
	if err != nil {
		return -1, false, fail.New("failed", "%v", err)
	}
	for _, loop := range loops {
		if loop.info.Inode == image.Ino && loop.info.Device == uint64(image.Dev) {
			return loop.Number, true, nil
		}
	}
	return -1, false, nil
}

// List answers all volumes, in the order of their names.
func (s *Store) List() ([]Volume, error) {
	paths, err := filepath.Glob(filepath.Join(s.dir, "*.json"))
	if err != nil {
		return nil, fail.New("failed", "%v", err)
	}
	slices.Sort(paths)
	volumes := []Volume{}
	for _, path := range paths {
		volume, err := s.read(strings.TrimSuffix(filepath.Base(path), ".json"))
		if errors.Is(err, os.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, fail.New("failed", "%s: %v", path, err)
		}
		volumes = append(volumes, volume)
	}
	return volumes, nil
}

func (s *Store) read(volume string) (Volume, error) {
	var kept Volume
	text, err := os.ReadFile(s.record(volume))
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	return kept, err
}

// keep writes a volume's record. It is not synced: after a crash of the machine a file without a record is thrown away.
func (s *Store) keep(volume Volume) error {
	text, err := json.Marshal(volume)
	if err != nil {
		return fail.New("failed", "%v", err)
	}
	temporary := s.record(volume.Volume) + ".new"
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return fail.New("failed", "%v", err)
	}
	if err := os.Rename(temporary, s.record(volume.Volume)); err != nil {
		return fail.New("failed", "%v", err)
	}
	return nil
}

// With mounts a volume privately and calls fn with its root directory. `gone` when there is no such volume.
func (s *Store) With(ctx context.Context, volume string, fn func(root int) error) error {
	if !volumeName.MatchString(volume) {
		return fail.New("bad_request", "volume: not a volume's name")
	}
	release, err := s.locks.Exclusive(ctx, volume)
	if err != nil {
		return err
	}
	defer release()
	if _, err := s.read(volume); errors.Is(err, os.ErrNotExist) {
		return fail.New("gone", "there is no bounded volume %s here", volume)
	} else if err != nil {
		return fail.New("failed", "%v", err)
	}
	if _, err := os.Stat(s.image(volume)); errors.Is(err, os.ErrNotExist) {
		return fail.New("gone", "the bounded volume %s has lost its file", volume)
	}
	number, is, err := s.number(volume)
	if err != nil {
		return err
	}
	if !is {
		return fail.New("failed", "the volume %s has no device", volume)
	}
	return inside(openDevices().path(number), fn)
}
