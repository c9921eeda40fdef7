package netfault

import (
	"context"
	"net/netip"
	"time"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/netfault/delay"
	"subjectd/toolbox/internal/netfault/qdisc"
	"subjectd/toolbox/internal/netfault/rules"
)

// Capabilities is what this kernel and the tools beside the agent can really do, each tried out. Reasons says why not, by name.
type Capabilities struct {
	Netem     bool              `json:"netem"`
	Tbf       bool              `json:"tbf"`
	NftNetdev bool              `json:"nft_netdev"`
	Nfqueue   bool              `json:"nfqueue"`
	Statistic bool              `json:"statistic"`
	Iptables  *string           `json:"iptables"`
	Reasons   map[string]string `json:"reasons"`

	peers    bool       // prio and u32: netem for some addresses only
	variants []iptables // all that work, the preferred one first
}

// iptables is one of the two implementations.
type iptables struct {
	name   string // the protocol's: iptables or iptables-legacy
	suffix string // of the commands
	six    bool   // ip6tables works as well
}

func (i iptables) save(four bool) string    { return i.command(four, "save") }
func (i iptables) restore(four bool) string { return i.command(four, "restore") }
func (i iptables) command(four bool, verb string) string {
	if four {
		return "iptables-" + i.suffix + "-" + verb
	}
	return "ip6tables-" + i.suffix + "-" + verb
}

func (i iptables) families() []bool {
	if i.six {
		return []bool{true, false}
	}
	return []bool{true}
}

// Capabilities tries everything out in a namespace of its own, once; later calls answer the same at once. It takes some 200 ms.
func (m *Manager) Capabilities(ctx context.Context) (Capabilities, error) {
	release, err := m.locks.acquire(ctx, "capabilities")
	if err != nil {
		return Capabilities{}, err
	}
	defer release()
	m.mu.Lock()
	known := m.known
	m.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	ns, err := newScratch()
	if err != nil {
		return Capabilities{}, fail.New("failed", "%v", err)
	}
	defer ns.close()
	p := prober{ctx: ctx, ns: ns, without: m.without, reasons: map[string]string{}}
	found := p.all()
	if ctx.Err() != nil {
		return Capabilities{}, ctx.Err()
	}
	m.mu.Lock()
	m.known = &found
	m.mu.Unlock()
	return found, nil
}

const probeFault = "flt_00000000000000000000000000"

var probeAddresses = []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}

type prober struct {
	ctx     context.Context
	ns      namespace
	without map[string]bool
	reasons map[string]string
}

func (p *prober) all() Capabilities {
	c := Capabilities{Reasons: p.reasons}
	c.Netem = p.qdiscs("netem", []qdisc.Fault{{ID: "a", Min: time.Millisecond, Max: 2 * time.Millisecond}})
	c.Tbf = p.qdiscs("tbf", []qdisc.Fault{{ID: "a", RateKbit: 1000}})
	c.peers = c.Netem && p.qdiscs("netem with peers", []qdisc.Fault{{ID: "a", Max: time.Millisecond, Peers: probeAddresses}})
	c.NftNetdev = p.nft()
	for _, variant := range []iptables{{name: "iptables", suffix: "nft"}, {name: "iptables-legacy", suffix: "legacy"}} {
		p.variant(&c, variant)
	}
	if len(c.variants) > 0 {
		c.Iptables = &c.variants[0].name
	}
	return c
}

// try notes the reason when something does not work, or was left out.
func (p *prober) try(name string, do func() error) bool {
	if p.without[name] {
		p.reasons[name] = "left out by a setting"
		return false
	}
	if err := do(); err != nil {
		p.reasons[name] = err.Error()
		return false
	}
	return true
}

func (p *prober) qdiscs(name string, faults []qdisc.Fault) bool {
	return p.try(name, func() error {
		lines, err := qdisc.Plan(faults, "lo")
		if err != nil {
			return err
		}
		defer run(p.ctx, p.ns, "", "tc", "qdisc", "del", "dev", "lo", "root") // fails where nothing was made
		return batch(p.ctx, p.ns, lines)
	})
}

func (p *prober) nft() bool {
	return p.try("nft_netdev", func() error {
		on := []rules.Interface{{Name: "lo", MAC: "02:00:00:00:00:01"}}
		for _, body := range []string{rules.NftDrop(probeFault, on, probeAddresses, probeAddresses), rules.NftLoss(probeFault, on, 50, nil)} {
			if _, err := run(p.ctx, p.ns, rules.NftCreate(probeFault, body), "nft", "-f", "-"); err != nil {
				return err
			}
			if _, err := run(p.ctx, p.ns, rules.NftDelete(rules.TableName(probeFault)), "nft", "-f", "-"); err != nil {
				return err
			}
		}
		return nil
	})
}

// variant tries one implementation of iptables. What the preferred one can do counts; a second one is only known so that its leavings are found.
func (p *prober) variant(c *Capabilities, v iptables) {
	restore := func(four bool, text string) error {
		_, err := run(p.ctx, p.ns, text, v.restore(four), "--noflush", "--wait=5")
		return err
	}
	drop := func(four bool) error {
		return restore(four, rules.IptablesDrop(probeFault, four, probeAddresses, probeAddresses, rules.Loud))
	}
	if !p.try(v.name, func() error { return drop(true) }) {
		return
	}
	v.six = p.try("ip6tables of "+v.name, func() error { return drop(false) })
	c.variants = append(c.variants, v)
	if len(c.variants) > 1 {
		return
	}
	every := func(text func(four bool) string) error {
		for _, four := range v.families() {
			if err := restore(four, text(four)); err != nil {
				return err
			}
		}
		return nil
	}
	c.Statistic = p.try("statistic", func() error {
		return every(func(four bool) string { return rules.IptablesLoss(probeFault, four, 50, nil, rules.Loud) })
	})
	c.Nfqueue = p.try("nfqueue", func() error {
		queue, err := delay.Open(p.ns, time.Millisecond, time.Millisecond)
		if err != nil {
			return err
		}
		defer queue.Close()
		return every(func(four bool) string { return rules.IptablesDelay(probeFault, four, nil, queue.Number) })
	})
}

// unsupported is the error for a step that nothing here can do, with the reasons of everything that could have done it.
func (c Capabilities) unsupported(what string, mechanisms ...string) error {
	text := ""
	for _, name := range mechanisms {
		if reason, ok := c.Reasons[name]; ok {
			text += "; " + name + ": " + reason
		}
	}
	return fail.New("unsupported", "%s cannot be done here%s", what, text)
}

// lose is how iptables loses an outgoing packet here, and whether the sender is told.
func (c Capabilities) lose() (target string, silent bool) {
	if c.Nfqueue {
		return rules.Silent, true
	}
	return rules.Loud, false
}
