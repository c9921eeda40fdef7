package netfault

import (
	"context"
	"strings"

	"golang.org/x/sync/errgroup"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/netfault/qdisc"
	"subjectd/toolbox/internal/target"
)

// Snapshot is everything in a namespace that could hold a packet back or drop it: nft's ruleset, both kinds of iptables for both families, qdiscs and filters of all
// interfaces. Equal states give equal texts: counters, handles and queue numbers are out, and chains without rules that iptables leaves behind.
func (m *Manager) Snapshot(ctx context.Context, t *target.Target) (string, error) {
	can, err := m.Capabilities(ctx)
	if err != nil {
		return "", err
	}
	look, err := look(ctx, t)
	if err != nil {
		return "", err
	}
	type section struct {
		title string
		read  func() (string, error)
	}
	var sections []section
	sections = append(sections, section{"nft", func() (string, error) {
		listing, err := run(ctx, t, "", "nft", "-s", "list", "ruleset")
		if err != nil && !can.NftNetdev && fail.Is(err, "failed") {
			return "", nil // a kernel without nft has no rules in it
		}
		return normaliseNft(listing), err
	}})
	for _, variant := range can.variants {
		for _, four := range variant.families() {
			if variant.suffix == "legacy" && look.legacy[four] == "" {
				continue
			}
			sections = append(sections, section{variant.save(four), func() (string, error) {
				save, err := run(ctx, t, "", variant.save(four))
				return normaliseSave(save), err
			}})
		}
	}
	sections = append(sections, section{"tc", func() (string, error) { return tcState(ctx, t) }})
	texts := make([]string, len(sections))
	var all errgroup.Group
	for i, one := range sections {
		all.Go(func() (err error) {
			texts[i], err = one.read()
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return "", err
	}
	var text strings.Builder
	for i, one := range sections {
		if texts[i] != "" {
			text.WriteString("# " + one.title + "\n" + texts[i])
		}
	}
	return text.String(), nil
}

func tcState(ctx context.Context, ns namespace) (string, error) {
	listing, err := run(ctx, ns, "", "tc", "qdisc", "show")
	if err != nil {
		return "", err
	}
	text := normaliseTc(listing, true)
	for _, one := range qdisc.ParseListing(listing) {
		var hooks [][]string
		switch {
		case one.Kind == "clsact":
			hooks = [][]string{{"ingress"}, {"egress"}}
		case one.Kind == "ingress":
			hooks = [][]string{{"ingress"}}
		case one.Handle != "0:":
			hooks = [][]string{{"parent", one.Handle}}
		}
		for _, hook := range hooks {
			filters, err := run(ctx, ns, "", "tc", append([]string{"filter", "show", "dev", one.Dev}, hook...)...)
			if err != nil {
				return "", err
			}
			if filters = normaliseTc(filters, false); filters != "" {
				text += "filters of " + one.Dev + " " + strings.Join(hook, " ") + "\n" + filters
			}
		}
	}
	return text, nil
}
