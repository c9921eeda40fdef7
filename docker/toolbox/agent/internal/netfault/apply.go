package netfault

import (
	"context"
	"slices"

	"subjectd/toolbox/internal/netfault/qdisc"
	"subjectd/toolbox/internal/netfault/rules"
	"subjectd/toolbox/internal/step"
	"subjectd/toolbox/internal/target"
)

// Apply carries out net.delay, net.loss, net.rate or net.drop; the same fault again replaces. It answers the mechanism and the interfaces, and for losses whether the
// sender is left in the dark (`silent`). When it fails, nothing of the fault is left.
func (m *Manager) Apply(ctx context.Context, t *target.Target, r step.Request) (map[string]any, error) {
	s, err := parse(r)
	if err != nil {
		return nil, err
	}
	can, err := m.Capabilities(ctx)
	if err != nil {
		return nil, err
	}
	release, err := m.locks.acquire(ctx, t.NetNSKey())
	if err != nil {
		return nil, err
	}
	defer release()
	on, err := interfaces(t)
	if err != nil {
		return nil, err
	}
	result := map[string]any{"interfaces": names(on)}
	key := objectKey{t.NetNSKey(), s.fault}
	before := m.forget(key)
	chains, err := m.apply(ctx, t, can, s, on, result)
	if err != nil {
		return nil, err
	}
	mechanism := result["mechanism"].(string)
	if before.mechanism == "" || before.mechanism == mechanism {
		m.remember(key, made{s.containerID, mechanism, chains})
	}
	return result, nil
}

// apply answers the chains it has made, if that was the way.
func (m *Manager) apply(ctx context.Context, t *target.Target, can Capabilities, s spec, on []rules.Interface, result map[string]any) (map[bool]string, error) {
	// Netem can tell addresses apart only with the classes and filters around it.
	netem := can.Netem && (s.peers == nil || can.peers)
	switch {
	case s.op == "net.delay" && netem && s.high-s.low <= qdisc.MaxJitter:
		result["mechanism"] = "netem"
		return nil, m.changeQdiscs(ctx, t, on, with(s))
	case s.op == "net.delay" && can.Nfqueue:
		result["mechanism"] = "nfqueue"
		return m.applyQueue(ctx, t, can, s)
	case s.op == "net.delay":
		return nil, can.unsupported("delay", "netem", "netem with peers", "nfqueue", "iptables", "iptables-legacy")
	case s.op == "net.rate" && can.Tbf:
		result["mechanism"] = "tbf"
		return nil, m.changeQdiscs(ctx, t, on, with(s))
	case s.op == "net.rate":
		return nil, can.unsupported("rate", "tbf")
	case can.NftNetdev:
		result["mechanism"], result["silent"] = "nft_netdev", true
		body := rules.NftDrop(s.fault, on, s.to, s.from)
		if s.op == "net.loss" {
			body = rules.NftLoss(s.fault, on, s.percent, s.peers)
		}
		return nil, applyTable(ctx, t, s.fault, body)
	case s.op == "net.loss" && netem:
		result["mechanism"], result["silent"] = "netem", true
		return nil, m.changeQdiscs(ctx, t, on, with(s))
	case s.op == "net.loss" && can.Statistic:
		lose, silent := can.lose()
		result["mechanism"], result["silent"] = "statistic", silent
		return applyChains(ctx, t, can, s.fault, func(four bool) string { return rules.IptablesLoss(s.fault, four, s.percent, s.peers, lose) })
	case s.op == "net.drop" && can.Iptables != nil:
		lose, silent := can.lose()
		result["mechanism"], result["silent"] = "iptables", silent
		return applyChains(ctx, t, can, s.fault, func(four bool) string { return rules.IptablesDrop(s.fault, four, s.to, s.from, lose) })
	}
	return nil, can.unsupported(s.op, "nft_netdev", "netem", "statistic", "iptables", "iptables-legacy")
}

func with(s spec) func([]qdisc.Fault) []qdisc.Fault {
	return func(faults []qdisc.Fault) []qdisc.Fault {
		fault := qdisc.Fault{ID: s.fault, ContainerID: s.containerID, Min: s.low, Max: s.high, Percent: s.percent, RateKbit: s.rateKbit, Peers: s.peers}
		return append(without(s.fault)(faults), fault)
	}
}

func without(fault string) func([]qdisc.Fault) []qdisc.Fault {
	return func(faults []qdisc.Fault) []qdisc.Fault {
		return slices.DeleteFunc(slices.Clone(faults), func(f qdisc.Fault) bool { return f.ID == fault })
	}
}
