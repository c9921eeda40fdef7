package netfault

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"subjectd/toolbox/internal/netfault/qdisc"
	"subjectd/toolbox/internal/netfault/rules"
	"subjectd/toolbox/internal/residue"
	"subjectd/toolbox/internal/target"
)

// Residue lists what is there of a fault in a namespace, of any fault when it is empty: tables, chains, jumps, qdiscs, delay queues.
func (m *Manager) Residue(ctx context.Context, t *target.Target, fault string) ([]residue.Item, error) {
	if t == nil {
		return nil, nil
	}
	can, err := m.Capabilities(ctx)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var found []residue.Item
	note := func(item residue.Item) {
		mu.Lock()
		defer mu.Unlock()
		found = append(found, item)
	}
	m.mu.Lock()
	for key, queue := range m.queues {
		if key.namespace == t.NetNSKey() && (fault == "" || fault == key.fault) {
			name := "delay queue of " + key.fault
			what := fmt.Sprintf("%s, started for container %s", name, queue.containerID)
			found = append(found, residue.Item{Fault: key.fault, What: what, Name: name})
		}
	}
	m.mu.Unlock()
	look, err := look(ctx, t)
	if err == nil && can.NftNetdev {
		err = look.nftErr // it works here: that it failed now does not mean that there is nothing
	}
	if err != nil {
		return nil, err
	}
	for _, name := range rules.OwnTables(look.nft) {
		if fault == "" || name == rules.TableName(fault) {
			found = append(found, residue.Plain(residue.FaultIn(name), "nft table netdev "+name))
		}
	}
	var all errgroup.Group
	for _, variant := range can.variants {
		for _, four := range variant.families() {
			if !look.has(variant, four) {
				continue
			}
			all.Go(func() error {
				save, err := run(ctx, t, "", variant.save(four))
				for _, line := range strings.Split(save, "\n") {
					if chain := rules.OwnChainIn(line); chain != "" && (fault == "" || chain == rules.ChainName(fault)) {
						item := residue.Plain(residue.FaultIn(chain), variant.save(four)+": "+rules.Uncounted(line))
						item.InForce = !strings.HasPrefix(line, ":")
						note(item)
					}
				}
				return err
			})
		}
	}
	all.Go(func() error { return m.qdiscResidue(ctx, t, fault, note) })
	err = all.Wait()
	residue.Sort(found)
	return found, err
}

func (m *Manager) qdiscResidue(ctx context.Context, t *target.Target, fault string, note func(residue.Item)) error {
	listed, faults, err := m.qdiscState(ctx, t, t.NetNSKey())
	if err != nil {
		return err
	}
	// Of a tree whose faults are not known any more each may be a part.
	if fault != "" && len(faults) > 0 && !slices.ContainsFunc(faults, func(f qdisc.Fault) bool { return f.ID == fault }) {
		return nil
	}
	for _, one := range listed {
		if one.Ours() {
			// All faults of a node share one tree, which is made anew for each of them.
			note(residue.Item{What: fmt.Sprintf("qdisc %s %s on %s", one.Kind, one.Handle, one.Dev), Name: "qdisc on " + one.Dev, InForce: true})
		}
	}
	return nil
}
