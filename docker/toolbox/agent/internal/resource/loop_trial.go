package resource

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"subjectd/toolbox/internal/resource/fill"
	"subjectd/toolbox/internal/resource/loopvol"
)

// tryLoop makes a small volume beside the others, mounts it, and takes it away again: an empty text, or why that does not work.
func (m *Manager) tryLoop(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	dir := filepath.Join(m.dataDir, "trial")
	store := loopvol.New(dir)
	_, err := store.Create(ctx, loopvol.Spec{Volume: "trial", Bytes: 4 << 20, UID: 65534, GID: 65534, Mode: 0o700})
	if err == nil {
		err = store.With(ctx, "trial", func(root int) error {
			_, err := fill.ReadUsage(root)
			return err
		})
	}
	if left := store.Remove(ctx, "trial"); err == nil {
		err = left
	}
	if left := os.Remove(dir); err == nil {
		err = left
	}
	if err != nil {
		return err.Error()
	}
	return ""
}
