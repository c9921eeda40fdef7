package netfault

import (
	"context"
	"slices"
	"strings"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/netfault/qdisc"
	"subjectd/toolbox/internal/netfault/rules"
	"subjectd/toolbox/internal/target"
)

// changeQdiscs makes every interface's tree anew for a changed set of faults. Packets that the old tree holds are lost, as in a device that is reset. `conflict`, and
// nothing changed, when an interface has a root qdisc of somebody else's. When it fails, the earlier trees are made again.
func (m *Manager) changeQdiscs(ctx context.Context, t *target.Target, on []rules.Interface, change func([]qdisc.Fault) []qdisc.Fault) error {
	key := t.NetNSKey()
	listed, before, err := m.qdiscState(ctx, t, key)
	if err != nil {
		return err
	}
	for _, one := range listed {
		if one.Foreign() && has(on, one.Dev) {
			return fail.New("conflict", "interface %s has a root qdisc of somebody else's: %s %s", one.Dev, one.Kind, one.Handle)
		}
	}
	after := change(before)
	lines, err := trees(on, listed, after)
	if err != nil {
		return err
	}
	// Kept before it is made: what is made must be known, what is known need not be made.
	if err := m.state.Save(key, union(before, after)); err != nil {
		return fail.New("failed", "state of the qdiscs: %v", err)
	}
	if err := batch(ctx, t, lines); err != nil {
		m.restoreQdiscs(context.WithoutCancel(ctx), t, on, before)
		return err
	}
	if err := m.state.Save(key, after); err != nil {
		return fail.New("failed", "state of the qdiscs: %v", err)
	}
	return nil
}

// removeQdiscs takes a fault out of the trees; it is no error when it is not in there. Trees of which nothing is known any more go altogether.
func (m *Manager) removeQdiscs(ctx context.Context, t *target.Target, fault string) error {
	listed, before, err := m.qdiscState(ctx, t, t.NetNSKey())
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(listed, qdisc.Listed.Ours) {
		return m.state.Save(t.NetNSKey(), nil)
	}
	after := without(fault)(before)
	if len(after) == len(before) && len(before) > 0 {
		return nil
	}
	on, err := interfaces(t)
	if err != nil {
		return err
	}
	on = slices.DeleteFunc(on, func(i rules.Interface) bool {
		return slices.ContainsFunc(listed, func(l qdisc.Listed) bool { return l.Dev == i.Name && l.Foreign() })
	})
	lines, err := trees(on, listed, after)
	if err != nil {
		return err
	}
	if err := batch(ctx, t, lines); err != nil {
		m.restoreQdiscs(context.WithoutCancel(ctx), t, on, before)
		return err
	}
	return m.state.Save(t.NetNSKey(), after)
}

func (m *Manager) restoreQdiscs(ctx context.Context, t *target.Target, on []rules.Interface, faults []qdisc.Fault) {
	listed, _, err := m.qdiscState(ctx, t, t.NetNSKey())
	if err != nil {
		return
	}
	lines, err := trees(on, listed, faults)
	if err != nil || batch(ctx, t, lines) != nil {
		return // the file still names all of them, so that undo removes what is there
	}
	_ = m.state.Save(t.NetNSKey(), faults)
}

// qdiscState answers all qdiscs of the namespace and the faults that ours are made of: none when none is ours.
func (m *Manager) qdiscState(ctx context.Context, ns namespace, key string) ([]qdisc.Listed, []qdisc.Fault, error) {
	text, err := run(ctx, ns, "", "tc", "qdisc", "show")
	if err != nil {
		return nil, nil, err
	}
	listed := qdisc.ParseListing(text)
	if !slices.ContainsFunc(listed, qdisc.Listed.Ours) {
		return listed, nil, nil
	}
	faults, err := m.state.Load(key)
	if err != nil {
		return nil, nil, fail.New("failed", "state of the qdiscs: %v", err)
	}
	return listed, faults, nil
}

func trees(on []rules.Interface, listed []qdisc.Listed, faults []qdisc.Fault) ([]string, error) {
	var lines []string
	for _, one := range on {
		if slices.ContainsFunc(listed, func(l qdisc.Listed) bool { return l.Dev == one.Name && l.Ours() }) {
			lines = append(lines, "qdisc del dev "+one.Name+" root")
		}
		tree, err := qdisc.Plan(faults, one.Name)
		if err != nil {
			return nil, err
		}
		lines = append(lines, tree...)
	}
	return lines, nil
}

func batch(ctx context.Context, ns namespace, lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	_, err := run(ctx, ns, strings.Join(lines, "\n")+"\n", "tc", "-batch", "-")
	return err
}

func has(on []rules.Interface, name string) bool {
	return slices.ContainsFunc(on, func(i rules.Interface) bool { return i.Name == name })
}

func union(a, b []qdisc.Fault) []qdisc.Fault {
	all := slices.Clone(b)
	for _, fault := range a {
		if !slices.ContainsFunc(b, func(f qdisc.Fault) bool { return f.ID == fault.ID }) {
			all = append(all, fault)
		}
	}
	return all
}
