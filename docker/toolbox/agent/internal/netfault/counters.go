package netfault

import (
	"context"
	"encoding/json"
	"regexp"
	"strconv"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/netfault/rules"
	"subjectd/toolbox/internal/target"
)

var nftCounter = regexp.MustCompile(`counter packets (\d+) bytes`)

// Counters answers {packets}: what a fault's rules or its queue have taken in a node's namespace; null where the mechanism (a qdisc) does not count by fault.
func (m *Manager) Counters(ctx context.Context, t *target.Target, args json.RawMessage) (any, error) {
	var in struct {
		Fault string `json:"fault"`
	}
	if err := json.Unmarshal(args, &in); err != nil || !rules.ValidFault(in.Fault) {
		return nil, fail.New("bad_request", "fault: no fault's id")
	}
	can, err := m.Capabilities(ctx)
	if err != nil {
		return nil, err
	}
	packets, ok, err := m.count(ctx, t, can, in.Fault)
	if err != nil {
		return nil, err
	}
	if !ok {
		return map[string]any{"packets": nil}, nil
	}
	return map[string]any{"packets": packets}, nil
}

func (m *Manager) count(ctx context.Context, t *target.Target, can Capabilities, fault string) (int64, bool, error) {
	m.mu.Lock()
	queue := m.queues[objectKey{t.NetNSKey(), fault}]
	m.mu.Unlock()
	if queue != nil {
		return queue.Packets(), true, nil
	}
	if can.NftNetdev {
		// Not there is an error of nft, and then it is something else that was applied.
		if listing, err := run(ctx, t, "", "nft", "list", "table", "netdev", rules.TableName(fault)); err == nil {
			var sum int64
			for _, match := range nftCounter.FindAllStringSubmatch(listing, -1) {
				n, err := strconv.ParseInt(match[1], 10, 64)
				if err != nil {
					return 0, false, err
				}
				sum += n
			}
			return sum, true, nil
		}
	}
	var sum int64
	found := false
	for _, variant := range can.variants {
		for _, four := range variant.families() {
			save, err := run(ctx, t, "", variant.save(four), "-c")
			if err != nil {
				return 0, false, err
			}
			n, ok := rules.IptablesPackets(save, rules.ChainName(fault))
			sum, found = sum+n, found || ok
		}
	}
	return sum, found, nil
}
