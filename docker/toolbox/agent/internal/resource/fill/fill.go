// Package fill takes disk space in a volume by a file that carries the fault's id.
package fill

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"

	"subjectd/toolbox/internal/fail"
)

const prefix = ".subjectd-"

var fileName = regexp.MustCompile(`^\.subjectd-[A-Za-z0-9_-]{1,100}$`)

// CheckName tells whether a text is a fill file's name: `bad_request` when it is not.
func CheckName(name string) error {
	if !fileName.MatchString(name) {
		return fail.New("bad_request", "name: %s and the fault's id", prefix)
	}
	return nil
}

// Usage is what a file system says of itself, in bytes.
type Usage struct{ Total, Used, Available int64 }

// ReadUsage reads the file system of an open directory.
func ReadUsage(root int) (Usage, error) {
	var fs unix.Statfs_t
	if err := unix.Fstatfs(root, &fs); err != nil {
		return Usage{}, fail.New("failed", "statfs: %v", err)
	}
	size := fs.Bsize
	return Usage{Total: int64(fs.Blocks) * size, Used: int64(fs.Blocks-fs.Bfree) * size, Available: int64(fs.Bavail) * size}, nil
}

// Write makes the file of exactly this many bytes, root's alone, and syncs it; one of that name is replaced. On `no_space` nothing of it stays.
func Write(ctx context.Context, root int, name string, bytes int64) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if bytes <= 0 {
		return fail.New("bad_request", "bytes: more than 0")
	}
	if err := Delete(root, name); err != nil {
		return err
	}
	// Exclusive and without following links: the directory belongs to the node.
	fd, err := unix.Openat(root, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return said(err)
	}
	file := os.NewFile(uintptr(fd), name)
	defer file.Close()
	err = reserve(ctx, file, bytes)
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = unix.Fsync(root)
	}
	if err != nil {
		return errors.Join(said(err), Delete(root, name))
	}
	return nil
}

func reserve(ctx context.Context, file *os.File, bytes int64) error {
	if err := file.Chmod(0o600); err != nil {
		return err
	}
	if err := file.Chown(0, 0); err != nil {
		return err
	}
	err := unix.Fallocate(int(file.Fd()), 0, 0, bytes)
	if !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.ENOSYS) {
		return err
	}
	block := make([]byte, 1<<20)
	for left := bytes; left > 0; left -= int64(len(block)) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		block = block[:min(int64(len(block)), left)]
		if _, err := file.Write(block); err != nil {
			return err
		}
	}
	return nil
}

// Delete removes the file; none is no error.
func Delete(root int, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if err := unix.Unlinkat(root, name, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return said(err)
	}
	return nil
}

// List answers the names of fill files in a directory, of this fault or with an empty text of any.
func List(root int, fault string) ([]string, error) {
	fd, err := unix.Openat(root, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, said(err)
	}
	directory := os.NewFile(uintptr(fd), "root")
	defer directory.Close()
	names, err := directory.Readdirnames(-1)
	if err != nil {
		return nil, said(err)
	}
	var found []string
	for _, name := range names {
		if strings.HasPrefix(name, prefix) && (fault == "" || strings.Contains(name, fault)) {
			found = append(found, name)
		}
	}
	return found, nil
}

func said(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EFBIG), errors.Is(err, unix.EDQUOT):
		return fail.New("no_space", "the volume has less room than that")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return fail.New("failed", "fill file: %v", err)
}
