package resource

import (
	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/resource/cgroup"
	"subjectd/toolbox/internal/step"
	"subjectd/toolbox/internal/target"
)

// quota is one quota that this agent has written.
type quota struct{ file, before, ours string }

func (q quota) facts(version string) map[string]any {
	return map[string]any{"mechanism": "cgroup_" + version, "file": q.file, "before": q.before, "ours": q.ours}
}

// applyCPU lowers the container's CPU quota. With `before` and `ours` (out of `measure.cgroup`) it writes exactly these: a second time, in whichever
// agent, it finds `ours` and changes nothing. `conflict` when the file holds neither.
func (m *Manager) applyCPU(t *target.Target, r step.Request) (map[string]any, error) {
	if err := running(t); err != nil {
		return nil, err
	}
	var args struct {
		Percent float64 `json:"percent"`
		Before  string  `json:"before"`
		Ours    string  `json:"ours"`
	}
	if err := parse(r.Raw, &args); err != nil {
		return nil, err
	}
	group, err := cgroup.Open(t.PID, t.ContainerID)
	if err != nil {
		return nil, err
	}
	dir, err := group.Controller("cpu")
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	id := key{r.Fault, t.ContainerID}
	if last, is := m.quotas[id]; is && args.Before == "" && last.file == dir.QuotaFile() {
		// Replaced: what is taken away is counted from what was there before this fault.
		if err := cgroup.Restore(last.file, t.ContainerID, last.before, last.ours); err != nil {
			return nil, err
		}
	}
	now, err := dir.ReadQuota()
	if err != nil {
		return nil, fail.New("failed", "cpu quota: %v", err)
	}
	plan, err := planQuota(group, dir, now, args.Percent, args.Before, args.Ours)
	if err != nil {
		return nil, err
	}
	before, ours := plan.before, plan.ours
	if now != before && !cgroup.Holds(now, before, ours) {
		return nil, fail.New("conflict", "%s holds %s, not %s", dir.QuotaFile(), now.Text(dir.Version), before.Text(dir.Version))
	}
	if !t.Alive() {
		return nil, running(nil)
	}
	if err := dir.WriteQuota(ours); err != nil {
		return nil, err
	}
	done := quota{file: dir.QuotaFile(), before: before.Text(dir.Version), ours: ours.Text(dir.Version)}
	m.quotas[id] = done
	return done.facts(dir.Version), nil
}

type quotaPlan struct{ before, ours cgroup.Quota }

func planQuota(group *cgroup.Group, dir cgroup.Dir, now cgroup.Quota, percent float64, before, ours string) (quotaPlan, error) {
	if before != "" || ours != "" {
		was, err1 := cgroup.ParseQuota(before)
		will, err2 := cgroup.ParseQuota(ours)
		if err1 != nil || err2 != nil {
			return quotaPlan{}, fail.New("bad_request", "before and ours: both, as measure.cgroup has them")
		}
		return quotaPlan{was, will}, nil
	}
	allowance, _, err := group.Allowance()
	if err != nil {
		return quotaPlan{}, err
	}
	will, err := cgroup.Lower(now, allowance, percent)
	return quotaPlan{now, will}, err
}

func (m *Manager) undoCPU(r step.Request) error {
	var args struct {
		File   string `json:"file"`
		Before string `json:"before"`
		Ours   string `json:"ours"`
	}
	if err := parse(r.Raw, &args); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	id := key{r.Fault, r.ContainerID}
	if args.File == "" {
		// The plan named no file: then what this agent itself wrote for the fault.
		last, is := m.quotas[id]
		if !is {
			return nil
		}
		args.File, args.Before, args.Ours = last.file, last.before, last.ours
	}
	if err := cgroup.Restore(args.File, r.ContainerID, args.Before, args.Ours); err != nil {
		return err
	}
	delete(m.quotas, id)
	return nil
}
