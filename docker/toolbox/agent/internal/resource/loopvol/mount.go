package loopvol

import (
	"errors"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"subjectd/toolbox/internal/fail"
)

// mountPoint is used inside a namespace of its own only, and only by kernels that cannot mount without a place.
const mountPoint = "/run/toolbox/volume"

// inside mounts a device, once more if it is mounted already (the kernel shares the file system then), and calls fn with its root directory. The mount
// is attached nowhere: nobody sees it, and it is gone when inside returns, or the agent ends.
func inside(device string, fn func(root int) error) error {
	err := insideDetached(device, fn)
	if errors.Is(err, unix.ENOSYS) {
		return insideNamespace(device, fn)
	}
	return err
}

func insideDetached(device string, fn func(root int) error) error {
	fs, err := unix.Fsopen("ext4", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return mountError(device, err)
	}
	defer unix.Close(fs)
	if err := unix.FsconfigSetString(fs, "source", device); err != nil {
		return mountError(device, err)
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return mountError(device, err)
	}
	mount, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	if err != nil {
		return mountError(device, err)
	}
	defer unix.Close(mount)
	root, err := unix.Openat(mount, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return mountError(device, err)
	}
	defer unix.Close(root)
	return fn(root)
}

// insideNamespace is for kernels before 5.2: a thread with a mount namespace of its own, which ends with it.
func insideNamespace(device string, fn func(root int) error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the runtime ends the thread
		done <- func() error {
			if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
				return mountError(device, err)
			}
			if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
				return mountError(device, err)
			}
			if err := os.MkdirAll(mountPoint, 0o700); err != nil {
				return mountError(device, err)
			}
			if err := unix.Mount(device, mountPoint, "ext4", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
				return mountError(device, err)
			}
			defer unix.Unmount(mountPoint, unix.MNT_DETACH)
			root, err := unix.Open(mountPoint, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			if err != nil {
				return mountError(device, err)
			}
			defer unix.Close(root)
			return fn(root)
		}()
	}()
	return <-done
}

func mountError(device string, err error) error {
	if errors.Is(err, unix.ENOSYS) {
		return err
	}
	if errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EPERM) {
		return fail.New("unsupported", "%s cannot be mounted as ext4: %v", device, err)
	}
	return fail.New("failed", "%s cannot be mounted: %v", device, err)
}

// settle gives the root directory its mode and removes lost+found: programs that want an empty directory refuse it, and so does the engine's copying of an
// image's content into a new volume.
func settle(root int, spec Spec) error {
	if err := unix.Unlinkat(root, "lost+found", unix.AT_REMOVEDIR); err != nil && !errors.Is(err, unix.ENOENT) {
		return fail.New("failed", "lost+found: %v", err)
	}
	if err := unix.Fchmod(root, spec.Mode); err != nil {
		return fail.New("failed", "mode of the root directory: %v", err)
	}
	return nil
}
