package loopvol

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"subjectd/toolbox/internal/fail"
)

// label begins the name that each of our devices tells of its file; it finds them when that file is gone.
const label = "subjectd:"

// devices is where device files are: the host's directory, in the toolbox's container beside its own.
type devices struct{ dir string }

func openDevices() devices {
	if _, err := os.Stat("/host/dev/loop-control"); err == nil {
		return devices{"/host/dev"}
	}
	return devices{"/dev"}
}

func hostName(number int) string { return fmt.Sprintf("/dev/loop%d", number) }

// open opens a loop device, and makes its file when the kernel has the device and nobody made the file.
func (d devices) open(number, flags int) (*os.File, error) {
	path := d.path(number)
	file, err := os.OpenFile(path, flags, 0)
	if !errors.Is(err, os.ErrNotExist) {
		return file, err
	}
	if err := unix.Mknod(path, unix.S_IFBLK|0o660, int(unix.Mkdev(7, uint32(number)))); err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, fmt.Errorf("make %s: %w", path, err)
	}
	var control unix.Stat_t
	if unix.Stat(filepath.Join(d.dir, "loop-control"), &control) == nil {
		_ = unix.Chown(path, 0, int(control.Gid)) // as its neighbours have it; nothing depends on it
	}
	return os.OpenFile(path, flags, 0)
}

// attach gives a file a loop device: the wanted number, or with -1 the next free one. `want` that is taken answers EBUSY.
func (d devices) attach(ctx context.Context, image *os.File, volume string, want int) (int, error) {
	control, err := os.OpenFile(filepath.Join(d.dir, "loop-control"), os.O_RDWR, 0)
	if err != nil {
		return -1, err
	}
	defer control.Close()
	if want >= 0 {
		if err := ioctlArg(control, unix.LOOP_CTL_ADD, want); err != nil && !errors.Is(err, unix.EEXIST) {
			return -1, err
		}
		return want, d.configure(image, volume, want)
	}
	for {
		number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return -1, err
		}
		err = d.configure(image, volume, number)
		if !errors.Is(err, unix.EBUSY) || ctx.Err() != nil {
			return number, err
		}
		// Somebody else took that number between the two calls: the next free one.
	}
}

func ioctlArg(file *os.File, request uint, arg int) error {
	return unix.IoctlSetInt(int(file.Fd()), request, arg)
}

func (d devices) configure(image *os.File, volume string, number int) error {
	device, err := d.open(number, os.O_RDWR|unix.O_CLOEXEC)
	if err != nil {
		return err
	}
	defer device.Close()
	// Direct I/O: the blocks are cached once, by the file system above, and not a second time on the agent's account.
	config := unix.LoopConfig{Fd: uint32(image.Fd()), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_DIRECT_IO}}
	copy(config.Info.File_name[:63], label+volume)
	err = unix.IoctlLoopConfigure(int(device.Fd()), &config)
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTTY) && !errors.Is(err, unix.ENOSYS) {
		return err
	}
	// Before Linux 5.8, or a file that cannot be read past the cache.
	if err := ioctlArg(device, unix.LOOP_SET_FD, int(image.Fd())); err != nil {
		return err
	}
	config.Info.Flags = 0
	if err := unix.IoctlLoopSetStatus64(int(device.Fd()), &config.Info); err != nil {
		_ = ioctlArg(device, unix.LOOP_CLR_FD, 0)
		return err
	}
	_ = ioctlArg(device, unix.LOOP_SET_DIRECT_IO, 1)
	return nil
}

// backs tells whether the device carries exactly this file.
func (d devices) backs(number int, image *unix.Stat_t) bool {
	device, err := d.open(number, os.O_RDONLY|unix.O_CLOEXEC)
	if err != nil {
		return false
	}
	defer device.Close()
	info, err := unix.IoctlLoopGetStatus64(int(device.Fd()))
	return err == nil && info.Inode == image.Ino && info.Device == uint64(image.Dev)
}

// claim opens the device alone: `conflict` while it is mounted anywhere, in whichever namespace. An unmount that is just going on is waited for, shortly.
func (d devices) claim(ctx context.Context, number int) (*os.File, error) {
	until := time.Now().Add(500 * time.Millisecond)
	for {
		device, err := d.open(number, os.O_RDONLY|unix.O_EXCL|unix.O_CLOEXEC)
		if !errors.Is(err, unix.EBUSY) {
			return device, err
		}
		if time.Now().After(until) {
			return nil, fail.New("conflict", "%s is mounted", hostName(number))
		}
		if err := pause(ctx); err != nil {
			return nil, err
		}
	}
}

// detach takes the file off its device and waits until it is: `conflict` while it is mounted.
func (d devices) detach(ctx context.Context, number int) error {
	device, err := d.claim(ctx, number)
	if err != nil {
		return err
	}
	err = ioctlArg(device, unix.LOOP_CLR_FD, 0)
	device.Close()
	if err != nil && !errors.Is(err, unix.ENXIO) {
		return err
	}
	until := time.Now().Add(5 * time.Second)
	for attached(number) {
		if time.Now().After(until) {
			return fail.New("failed", "%s stays open", hostName(number))
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

func pause(ctx context.Context) error {
	timer := time.NewTimer(2 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func attached(number int) bool {
	_, err := os.Stat(fmt.Sprintf("/sys/block/loop%d/loop", number))
	return err == nil
}

// Loop is an attached loop device as the kernel tells it.
type Loop struct {
	Number int
	// Label is the volume that it was attached for; empty for other people's devices.
	Label   string
	Deleted bool
	info    unix.LoopInfo64
}

// list answers all attached loop devices.
func (d devices) list() ([]Loop, error) {
	paths, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		return nil, err
	}
	var loops []Loop
	for _, path := range paths {
		number, err := strconv.Atoi(strings.TrimPrefix(strings.Split(path, "/")[3], "loop"))
		if err != nil {
			continue
		}
		device, err := d.open(number, os.O_RDONLY|unix.O_CLOEXEC)
		if err != nil {
			continue // another's, of which we may not even have the file
		}
		info, err := unix.IoctlLoopGetStatus64(int(device.Fd()))
		device.Close()
		if err != nil {
			continue // detached meanwhile
		}
		loop := Loop{Number: number, info: *info}
		name := strings.TrimRight(string(info.File_name[:]), "\x00")
		loop.Label, _ = strings.CutPrefix(name, label)
		if loop.Label == name {
			loop.Label = ""
		}
		if text, err := os.ReadFile(path); err == nil {
			loop.Deleted = strings.HasSuffix(strings.TrimSpace(string(text)), " (deleted)")
		}
		loops = append(loops, loop)
	}
	return loops, nil
}

// path is the device's file as this process sees it.
func (d devices) path(number int) string { return filepath.Join(d.dir, fmt.Sprintf("loop%d", number)) }
