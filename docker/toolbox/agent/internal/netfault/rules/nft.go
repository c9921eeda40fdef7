package rules

import (
	"fmt"
	"net/netip"
	"strings"
)

// Interface is a network interface as the rules need it. MAC is empty where it has no Ethernet address.
type Interface struct {
	Name string
	MAC  string
}

// How a packet on its way out vanishes. `drop` in the egress hook is no loss on the wire: the kernel tells TCP that the device was full, and TCP then
// tries again every half second (zero window probe timer) without a retransmission and without backing off. So the frame is addressed to the
// interface itself: it leaves, TCP sees it sent, and the next bridge or host throws it away, as it is for nobody there. Interfaces without Ethernet
// addresses can only drop.
func vanish(i Interface) string {
	if i.MAC == "" {
		return "counter drop"
	}
	return "counter ether daddr set " + i.MAC + " accept"
}

// A bridge whose port is a hairpin (the engine without its proxy process) hands such a frame back. IPv4 would not believe its source, IPv6 might forward it.
func returned(i Interface) []string {
	if i.MAC == "" {
		return nil
	}
	return []string{"ether saddr " + i.MAC + " drop"}
}

// Neighbour discovery is IPv6's ARP, and ARP is never touched: addresses stay known, so that senders meet silence and no error.
const spareNeighbours = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"

// NftDrop is the table in which outgoing packets to `to` and incoming ones from `from` vanish.
func NftDrop(fault string, interfaces []Interface, to, from []netip.Addr) string {
	t := table{name: TableName(fault)}
	t.set("to4", "ipv4_addr", family(to, true))
	t.set("to6", "ipv6_addr", family(to, false))
	t.set("from4", "ipv4_addr", family(from, true))
	t.set("from6", "ipv6_addr", family(from, false))
	for n, i := range interfaces {
		if len(to) > 0 {
			t.chain(fmt.Sprintf("out%d", n), "egress", i.Name, t.rules("daddr", "to", vanish(i)))
		}
		t.chain(fmt.Sprintf("in%d", n), "ingress", i.Name, append(returned(i), t.rules("saddr", "from", "counter drop")...))
	}
	return t.String()
}

// NftLoss is the table in which outgoing packets vanish by chance, those to peers, or all IP packets when peers is nil.
func NftLoss(fault string, interfaces []Interface, percent float64, peers []netip.Addr) string {
	t := table{name: TableName(fault)}
	chance := fmt.Sprintf("numgen random mod %d < %d ", chanceBase, Chance(percent))
	if percent >= 100 {
		chance = ""
	}
	t.set("to4", "ipv4_addr", family(peers, true))
	t.set("to6", "ipv6_addr", family(peers, false))
	for n, i := range interfaces {
		rules := t.rules("daddr", "to", chance+vanish(i))
		if peers == nil {
			rules = []string{spareNeighbours, "meta protocol { ip, ip6 } " + chance + vanish(i)}
		}
		t.chain(fmt.Sprintf("out%d", n), "egress", i.Name, rules)
		t.chain(fmt.Sprintf("in%d", n), "ingress", i.Name, returned(i))
	}
	return t.String()
}

const chanceBase = 10_000_000

// Chance is how many of 10,000,000 packets are lost; at least one.
func Chance(percent float64) int {
	return max(1, min(chanceBase, int(percent*chanceBase/100+0.5)))
}

// NftCreate makes a table that is not there yet; it fails, and changes nothing, when it is.
func NftCreate(fault, body string) string {
	return "create table netdev " + TableName(fault) + "\n" + body
}

// NftReplace puts the table in the place of one of the same name, in one transaction.
func NftReplace(fault, body string) string {
	name := TableName(fault)
	return "add table netdev " + name + "\ndelete table netdev " + name + "\n" + body
}

// NftDelete removes a table that is there.
func NftDelete(name string) string { return "delete table netdev " + name + "\n" }

type table struct {
	name string
	sets []string
	has  map[string]bool
	body strings.Builder
}

func (t *table) set(name, kind string, elements []string) {
	if len(elements) == 0 {
		return
	}
	if t.has == nil {
		t.has = map[string]bool{}
	}
	t.has[name] = true
	t.sets = append(t.sets, fmt.Sprintf("\tset %s {\n\t\ttype %s\n\t\telements = { %s }\n\t}\n", name, kind, strings.Join(elements, ", ")))
}

func (t *table) rules(field, set, verdict string) []string {
	var rules []string
	if t.has[set+"4"] {
		rules = append(rules, fmt.Sprintf("ip %s @%s4 %s", field, set, verdict))
	}
	if t.has[set+"6"] {
		rules = append(rules, spareNeighbours, fmt.Sprintf("ip6 %s @%s6 %s", field, set, verdict))
	}
	return rules
}

func (t *table) chain(name, hook, device string, rules []string) {
	if len(rules) == 0 {
		return
	}
	fmt.Fprintf(&t.body, "\tchain %s {\n\t\ttype filter hook %s device %q priority 0; policy accept;\n", name, hook, device)
	for _, rule := range rules {
		fmt.Fprintf(&t.body, "\t\t%s\n", rule)
	}
	t.body.WriteString("\t}\n")
}

func (t *table) String() string {
	return "table netdev " + t.name + " {\n" + strings.Join(t.sets, "") + t.body.String() + "}\n"
}
