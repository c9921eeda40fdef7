package loopvol

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"subjectd/toolbox/internal/fail"
)

// format writes an empty ext4 into a sparse file. No journal: what has to survive is the death of a node's processes, and for that the page cache is enough.
// The file reads as zeroes, so no inode table needs to be written, now or by the kernel later. Features that kernels before 5.15 do not know stay off.
func format(ctx context.Context, image string, uid, gid int) error {
	return tool(ctx, "mkfs.ext4", 0, "-q", "-F", "-b", "4096", "-T", "default", "-m", "0",
		"-O", "^has_journal,^resize_inode,^orphan_file,^metadata_csum_seed",
		"-E", fmt.Sprintf("assume_storage_prezeroed=1,nodiscard,root_owner=%d:%d", uid, gid), image)
}

// mend repairs what a crash of the machine left, as far as that needs no decision.
func mend(ctx context.Context, image string) error {
	return tool(ctx, "e2fsck", 1, "-p", image)
}

func tool(ctx context.Context, name string, good int, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		path = "/usr/sbin/" + name
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err = cmd.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if code := exit.ExitCode(); code > 0 && code <= good {
			return nil
		}
		words := strings.TrimSpace(said.String())
		return fail.New("failed", "%s: %v: %s", name, err, words[max(0, len(words)-300):])
	}
	return fail.New("unsupported", "%s cannot be run: %v", name, err)
}
