package netfault

import (
	"context"
	"os"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"subjectd/toolbox/internal/netfault/rules"
)

// applyChains makes the fault's chains in both families, in the place of earlier ones, and answers the texts by which it did. When a family
// fails, none is left.
func applyChains(ctx context.Context, ns namespace, can Capabilities, fault string, text func(four bool) string) (map[bool]string, error) {
	variant := can.variants[0]
	look, err := look(ctx, ns)
	if err != nil {
		return nil, err
	}
	made := map[bool]string{}
	var all errgroup.Group
	for _, four := range variant.families() {
		made[four] = text(four)
		all.Go(func() error {
			return replaceChain(ctx, ns, variant, four, look.has(variant, four), rules.ChainName(fault), text(four))
		})
	}
	if err := all.Wait(); err != nil {
		removeChains(context.WithoutCancel(ctx), ns, can, fault)
		return nil, err
	}
	return made, nil
}

// takeBack removes chains whose making is known, without looking first; where that fails, or it is not known, by looking.
func takeBack(ctx context.Context, ns namespace, can Capabilities, fault string, made map[bool]string) error {
	if made == nil {
		return removeChains(ctx, ns, can, fault)
	}
	variant := can.variants[0]
	var all errgroup.Group
	for four, text := range made {
		if text != "" {
			all.Go(func() error {
				_, err := run(ctx, ns, rules.IptablesUndo(text), variant.restore(four), "--noflush", "--wait=5")
				return err
			})
		}
	}
	if all.Wait() == nil {
		return nil
	}
	return removeChains(ctx, ns, can, fault)
}

// removeChains removes the fault's chains and every jump to them, wherever they are.
func removeChains(ctx context.Context, ns namespace, can Capabilities, fault string) error {
	look, err := look(ctx, ns)
	if err != nil {
		return err
	}
	var all errgroup.Group
	for _, variant := range can.variants {
		for _, four := range variant.families() {
			if look.has(variant, four) {
				all.Go(func() error {
					return replaceChain(ctx, ns, variant, four, true, rules.ChainName(fault), "")
				})
			}
		}
	}
	return all.Wait()
}

func replaceChain(ctx context.Context, ns namespace, variant iptables, four, any bool, chain, text string) error {
	var save string
	var err error
	if any {
		if save, err = run(ctx, ns, "", variant.save(four)); err != nil {
			return err
		}
	}
	batch := rules.IptablesRemoval(save, chain) + text
	if batch == "" {
		return nil
	}
	_, err = run(ctx, ns, batch, variant.restore(four), "--noflush", "--wait=5")
	if err == nil {
		return nil
	}
	// Somebody may have changed the rules since they were looked at: once more on what is there now.
	again, saveErr := run(ctx, ns, "", variant.save(four))
	if batch = rules.IptablesRemoval(again, chain) + text; saveErr != nil || again == save || batch == "" {
		if saveErr == nil && batch == "" {
			return nil
		}
		return err
	}
	_, err = run(ctx, ns, batch, variant.restore(four), "--noflush", "--wait=5")
	return err
}

// tables is where rules of ours could be in a namespace. Looking first saves most of the commands, as a node rarely has tables of iptables.
type tables struct {
	nft    string // what `nft list tables` says; it has the tables of iptables-nft as well
	nftErr error  // why it says nothing; where there is no nft that is as it should be
	legacy map[bool]string
}

func look(ctx context.Context, ns namespace) (tables, error) {
	t := tables{legacy: map[bool]string{}}
	err := ns.InNetNS(func() error {
		for four, name := range map[bool]string{true: "ip_tables_names", false: "ip6_tables_names"} {
			// No such file: the kernel has no legacy tables (loaded), or not in this namespace.
			if text, err := os.ReadFile("/proc/thread-self/net/" + name); err == nil {
				t.legacy[four] = string(text)
			}
		}
		return nil
	})
	if err != nil {
		return t, err
	}
	t.nft, err = run(ctx, ns, "", "nft", "list", "tables")
	if err != nil && ctx.Err() == nil {
		t.nft = everywhere // no nft here: whatever there is will be looked at by itself
		t.nftErr = err
		err = nil
	}
	return t, err
}

const everywhere = "table ip mangle\ntable ip6 mangle\n"

// has tells whether a variant has one of the tables that we use. nat, where the engine has its name server's rules, is none of them.
func (t tables) has(variant iptables, four bool) bool {
	var names []string
	if variant.suffix == "legacy" {
		names = strings.Fields(t.legacy[four])
	} else {
		prefix := "table ip6 "
		if four {
			prefix = "table ip "
		}
		for _, line := range strings.Split(t.nft, "\n") {
			if name, ok := strings.CutPrefix(line, prefix); ok {
				names = append(names, name)
			}
		}
	}
	return slices.Contains(names, "mangle") || slices.Contains(names, "raw")
}
