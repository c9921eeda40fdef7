package loopvol

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Reattach gives every volume its device again after a restart of the machine, under the number it had. When that number is taken meanwhile the volume
// gets another and the error says so: the engine's volume then names a wrong device and has to be made anew. Rests go: files without a record, and
// devices of ours whose file has been deleted.
func (s *Store) Reattach(ctx context.Context) error {
	var failed []error
	failed = append(failed, s.clearRests(ctx))
	volumes, err := s.List()
	if err != nil {
		return errors.Join(append(failed, err)...)
	}
	for _, volume := range volumes {
		failed = append(failed, s.reattach(ctx, volume.Volume))
	}
	return errors.Join(failed...)
}

func (s *Store) reattach(ctx context.Context, name string) error {
	release, err := s.locks.Exclusive(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	volume, err := s.read(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("volume %s: %w", name, err)
	}
	number, is, err := s.number(name)
	if err != nil {
		return err
	}
	if is {
		if number == volume.Number {
			return nil
		}
		volume.Number = number
		return s.keep(volume)
	}
	image, err := os.OpenFile(s.image(name), os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return os.Remove(s.record(name)) // the record alone is no volume
	}
	if err != nil {
		return err
	}
	defer image.Close()
	if err := mend(ctx, image.Name()); err != nil {
		return fmt.Errorf("volume %s: %w", name, err)
	}
	was := volume.Number
	dev := openDevices()
	if volume.Number, err = dev.attach(ctx, image, name, was); errors.Is(err, unix.EBUSY) && was >= 0 {
		volume.Number, err = dev.attach(ctx, image, name, -1)
	}
	if err != nil {
		return fmt.Errorf("volume %s: %w", name, err)
	}
	if err := s.keep(volume); err != nil {
		return err
	}
	if volume.Number != was {
		return fmt.Errorf("volume %s: %s is taken, it is now %s", name, hostName(was), volume.Device())
	}
	return nil
}

func (s *Store) clearRests(ctx context.Context) error {
	var failed []error
	loops, err := openDevices().list()
	failed = append(failed, err)
	for _, loop := range loops {
		if loop.Label != "" && loop.Deleted {
			failed = append(failed, openDevices().detach(ctx, loop.Number))
		}
	}
	images, err := filepath.Glob(filepath.Join(s.dir, "*.img"))
	failed = append(failed, err)
	for _, path := range images {
		name := strings.TrimSuffix(filepath.Base(path), ".img")
		if _, err := os.Stat(s.record(name)); errors.Is(err, os.ErrNotExist) {
			failed = append(failed, s.clearRest(ctx, name))
		}
	}
	return errors.Join(failed...)
}

// clearRest looks again under the lock: the volume may just be being made.
func (s *Store) clearRest(ctx context.Context, name string) error {
	release, err := s.locks.Exclusive(ctx, name)
	if err != nil {
		return err
	}
	defer release()
	if _, err := os.Stat(s.record(name)); err == nil {
		return nil
	}
	return s.remove(ctx, name)
}

// Devices names the loop devices that carry files of this store, and those of ours whose file is gone, without their numbers' order mattering.
func (s *Store) Devices() ([]string, error) {
	loops, err := openDevices().list()
	if err != nil {
		return nil, err
	}
	images, err := filepath.Glob(filepath.Join(s.dir, "*.img"))
	if err != nil {
		return nil, err
	}
	texts := []string{}
	for _, path := range images {
		var image unix.Stat_t
		if unix.Stat(path, &image) != nil {
			continue
		}
		for _, loop := range loops {
			if loop.info.Inode == image.Ino && loop.info.Device == uint64(image.Dev) {
				texts = append(texts, fmt.Sprintf("%s %s", hostName(loop.Number), filepath.Base(path)))
			}
		}
	}
	for _, loop := range loops {
		if loop.Label != "" && loop.Deleted {
			texts = append(texts, fmt.Sprintf("%s %s (deleted)", hostName(loop.Number), loop.Label))
		}
	}
	slices.Sort(texts)
	return texts, nil
}
