package resource

import (
	"context"

	"subjectd/toolbox/internal/resource/cgroup"
	"subjectd/toolbox/internal/target"
)

// Capabilities answers the members `loop`, `pidfd` and `cgroup` of the protocol, and `reasons` for what is not there. The loop device is really tried,
// once in the agent's life.
func (m *Manager) Capabilities(ctx context.Context) map[string]any {
	reasons := map[string]string{}
	m.loopOnce.Do(func() { m.loopReason = m.tryLoop(context.WithoutCancel(ctx)) })
	if m.loopReason != "" {
		reasons["loop"] = m.loopReason
	}
	pidfd := target.HasPidfd()
	if !pidfd {
		reasons["pidfd"] = "the kernel has no pidfd_open (it is there from Linux 5.3 on)"
	}
	var version any
	if mounts, err := cgroup.ReadMounts(); err != nil {
		reasons["cgroup"] = err.Error()
	} else if text := cgroup.Version(mounts); text == "" {
		reasons["cgroup"] = "no cgroup hierarchy with the cpu controller is mounted"
	} else {
		version = text
		if err := cgroup.Writable(mounts); err != nil {
			reasons["cgroup"] = "the cgroup hierarchy cannot be written: " + err.Error()
		}
	}
	return map[string]any{"loop": m.loopReason == "", "pidfd": pidfd, "cgroup": version, "reasons": reasons}
}
