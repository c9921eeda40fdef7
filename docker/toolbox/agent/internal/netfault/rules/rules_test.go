package rules

import (
	"net/netip"
	"strings"
	"testing"
)

const fault = "flt_01HZZZZZZZZZZZZZZZZZZZZZZZ"

func addresses(texts ...string) []netip.Addr {
	list := []netip.Addr{}
	for _, text := range texts {
		list = append(list, netip.MustParseAddr(text))
	}
	return list
}

func same(t *testing.T, got, want string) {
	t.Helper()
	if want = strings.TrimPrefix(want, "\n"); got != want {
		t.Fatalf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestADropNamesBothDirectionsAndFamilies(t *testing.T) {
	got := NftDrop(fault, []Interface{{"eth0", "02:00:00:00:00:01"}, {"tun0", ""}}, addresses("10.0.0.2", "fd00::2", "::ffff:10.0.0.3"), addresses("fd00::2"))
	same(t, got, `
table netdev subjectd_flt_01HZZZZZZZZZZZZZZZZZZZZZZZ {
	set to4 {
		type ipv4_addr
		elements = { 10.0.0.2, 10.0.0.3 }
	}
	set to6 {
		type ipv6_addr
		elements = { fd00::2 }
	}
	set from6 {
		type ipv6_addr
		elements = { fd00::2 }
	}
	chain out0 {
		type filter hook egress device "eth0" priority 0; policy accept;
		ip daddr @to4 counter ether daddr set 02:00:00:00:00:01 accept
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
		ip6 daddr @to6 counter ether daddr set 02:00:00:00:00:01 accept
	}
	chain in0 {
		type filter hook ingress device "eth0" priority 0; policy accept;
		ether saddr 02:00:00:00:00:01 drop
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
		ip6 saddr @from6 counter drop
	}
	chain out1 {
		type filter hook egress device "tun0" priority 0; policy accept;
		ip daddr @to4 counter drop
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
		ip6 daddr @to6 counter drop
	}
	chain in1 {
		type filter hook ingress device "tun0" priority 0; policy accept;
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
		ip6 saddr @from6 counter drop
	}
}
`)
}

func TestALossWithoutPeersMeansEveryIPPacket(t *testing.T) {
	same(t, NftLoss(fault, []Interface{{"eth0", "02:00:00:00:00:01"}}, 12.5, nil), `
table netdev subjectd_flt_01HZZZZZZZZZZZZZZZZZZZZZZZ {
	chain out0 {
		type filter hook egress device "eth0" priority 0; policy accept;
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
		meta protocol { ip, ip6 } numgen random mod 10000000 < 1250000 counter ether daddr set 02:00:00:00:00:01 accept
	}
	chain in0 {
		type filter hook ingress device "eth0" priority 0; policy accept;
		ether saddr 02:00:00:00:00:01 drop
	}
}
`)
	if text := NftLoss(fault, []Interface{{"eth0", ""}}, 100, nil); strings.Contains(text, "numgen") {
		t.Fatal("all is no matter of chance")
	}
	if Chance(0.0000001) != 1 || Chance(100) != chanceBase || Chance(0.5) != 50000 {
		t.Fatal("chance")
	}
}

func TestADelaySendsToTheQueueWithBypassAndNeverFromLo(t *testing.T) {
	same(t, IptablesDelay(fault, true, addresses("10.0.0.2", "fd00::2"), 77), `
*mangle
:S-01HZZZZZZZZZZZZZZZZZZZZZZZ - [0:0]
-A S-01HZZZZZZZZZZZZZZZZZZZZZZZ -d 10.0.0.2 -j NFQUEUE --queue-num 77 --queue-bypass
-I POSTROUTING ! -o lo -j S-01HZZZZZZZZZZZZZZZZZZZZZZZ
COMMIT
`)
	same(t, IptablesDelay(fault, false, nil, 77), `
*mangle
:S-01HZZZZZZZZZZZZZZZZZZZZZZZ - [0:0]
-A S-01HZZZZZZZZZZZZZZZZZZZZZZZ -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j RETURN
-A S-01HZZZZZZZZZZZZZZZZZZZZZZZ -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j RETURN
-A S-01HZZZZZZZZZZZZZZZZZZZZZZZ -j NFQUEUE --queue-num 77 --queue-bypass
-I POSTROUTING ! -o lo -j S-01HZZZZZZZZZZZZZZZZZZZZZZZ
COMMIT
`)
	if text := IptablesDelay(fault, false, addresses("10.0.0.2"), 77); text != "" {
		t.Fatalf("no IPv6 peer, but %q", text)
	}
	if text := IptablesDelay(fault, true, addresses(), 77); text != "" {
		t.Fatalf("no peer at all, but %q", text)
	}
}

func TestAnIptablesDropIsInMangleAndRaw(t *testing.T) {
	same(t, IptablesDrop(fault, true, addresses("10.0.0.2"), addresses("10.0.0.3"), Silent), `
*mangle
:S-01HZZZZZZZZZZZZZZZZZZZZZZZ - [0:0]
-A S-01HZZZZZZZZZZZZZZZZZZZZZZZ -d 10.0.0.2 -j NFQUEUE --queue-num 23503
-I OUTPUT ! -o lo -j S-01HZZZZZZZZZZZZZZZZZZZZZZZ
COMMIT
*raw
:S-01HZZZZZZZZZZZZZZZZZZZZZZZ - [0:0]
-A S-01HZZZZZZZZZZZZZZZZZZZZZZZ -s 10.0.0.3 -j DROP
-I PREROUTING ! -i lo -j S-01HZZZZZZZZZZZZZZZZZZZZZZZ
COMMIT
`)
	if text := IptablesDrop(fault, true, nil, nil, Silent); text != "" {
		t.Fatalf("nothing to drop, but %q", text)
	}
}

const save = `# Generated
*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -j OTHER
COMMIT
*mangle
:POSTROUTING ACCEPT [0:0]
:S-01HZZZZZZZZZZZZZZZZZZZZZZZ - [0:0]
:S-01HYYYYYYYYYYYYYYYYYYYYYYY - [0:0]
[4:8] -A S-01HZZZZZZZZZZZZZZZZZZZZZZZ -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j RETURN
[5:8] -A S-01HZZZZZZZZZZZZZZZZZZZZZZZ -d 10.0.0.2/32 -j DROP
[6:8] -A S-01HZZZZZZZZZZZZZZZZZZZZZZZ -d 10.0.0.3/32 -j DROP
-A POSTROUTING ! -o lo -j S-01HYYYYYYYYYYYYYYYYYYYYYYY
-A POSTROUTING ! -o lo -j S-01HZZZZZZZZZZZZZZZZZZZZZZZ
COMMIT
`

func TestARemovalTakesTheJumpsTheChainAndNothingElse(t *testing.T) {
	same(t, IptablesRemoval(save, ChainName(fault)), `
*mangle
-D POSTROUTING ! -o lo -j S-01HZZZZZZZZZZZZZZZZZZZZZZZ
-F S-01HZZZZZZZZZZZZZZZZZZZZZZZ
-X S-01HZZZZZZZZZZZZZZZZZZZZZZZ
COMMIT
`)
	if text := IptablesRemoval(save, "S-01HXXXXXXXXXXXXXXXXXXXXXXX"); text != "" {
		t.Fatalf("nothing to remove, but %q", text)
	}
	if got := OwnChains(save); len(got) != 2 {
		t.Fatalf("chains %v", got)
	}
	if n, ok := IptablesPackets(save, ChainName(fault)); n != 11 || !ok {
		t.Fatalf("%d %v", n, ok)
	}
}

func TestAnUndoIsTheExactReverse(t *testing.T) {
	same(t, IptablesUndo(IptablesDrop(fault, true, addresses("10.0.0.2"), addresses("10.0.0.3"), Loud)), `
*mangle
-D OUTPUT ! -o lo -j S-01HZZZZZZZZZZZZZZZZZZZZZZZ
-F S-01HZZZZZZZZZZZZZZZZZZZZZZZ
-X S-01HZZZZZZZZZZZZZZZZZZZZZZZ
COMMIT
*raw
-D PREROUTING ! -i lo -j S-01HZZZZZZZZZZZZZZZZZZZZZZZ
-F S-01HZZZZZZZZZZZZZZZZZZZZZZZ
-X S-01HZZZZZZZZZZZZZZZZZZZZZZZ
COMMIT
`)
}

func TestOwnNamesAreFoundAndIdsChecked(t *testing.T) {
	if got := OwnTables("table ip filter\ntable netdev subjectd_" + fault + "\ntable netdev subjectd_x\n"); len(got) != 1 || got[0] != TableName(fault) {
		t.Fatalf("tables %v", got)
	}
	if len(ChainName(fault)) != 28 {
		t.Fatal("longer than iptables allows")
	}
	for _, id := range []string{"", "flt_", "flt_01HZZZZZZZZZZZZZZZZZZZZZZ", fault + "A", "flt_01HZZZZZZZZZZZZZZZZZZZ ;}Z"} {
		if ValidFault(id) {
			t.Errorf("%q passed", id)
		}
	}
}
