package rules

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Unserved is a queue number that nobody serves: a packet sent there without bypass is dropped without the sender being told, whereas DROP in an
// output chain makes sendto fail with EPERM (and TCP try again without backing off).
const Unserved = 0x5bcf

// Silent and Loud are the two ways iptables has to lose an outgoing packet.
var (
	Silent = "NFQUEUE --queue-num " + strconv.Itoa(Unserved)
	Loud   = "DROP"
)

// IptablesDelay sends outgoing packets, those to peers or all when peers is nil, to a delay queue. While nobody serves it they pass. Empty when there is nothing to do for
// this family.
func IptablesDelay(fault string, four bool, peers []netip.Addr, queue uint16) string {
	return owned("mangle", "POSTROUTING", "! -o lo", fault, four, matches("-d", four, peers), fmt.Sprintf("NFQUEUE --queue-num %d --queue-bypass", queue))
}

// IptablesLoss loses outgoing packets by chance. It stands in OUTPUT, before every delay, because a queue's packets see no later rule of POSTROUTING.
func IptablesLoss(fault string, four bool, percent float64, peers []netip.Addr, lose string) string {
	chance := "-m statistic --mode random --probability " + strconv.FormatFloat(percent/100, 'f', 9, 64) + " "
	if percent >= 100 {
		chance = ""
	}
	var rules []string
	for _, match := range matches("-d", four, peers) {
		rules = append(rules, match+chance)
	}
	return owned("mangle", "OUTPUT", "! -o lo", fault, four, rules, lose)
}

// IptablesDrop loses outgoing packets to `to` and incoming ones from `from`.
func IptablesDrop(fault string, four bool, to, from []netip.Addr, lose string) string {
	out, in := []string(nil), []string(nil)
	if len(to) > 0 {
		out = matches("-d", four, to)
	}
	if len(from) > 0 {
		in = matches("-s", four, from)
	}
	return owned("mangle", "OUTPUT", "! -o lo", fault, four, out, lose) + owned("raw", "PREROUTING", "! -i lo", fault, four, in, "DROP")
}

func matches(flag string, four bool, addresses []netip.Addr) []string {
	if addresses == nil {
		return []string{""}
	}
	var rules []string
	for _, address := range family(addresses, four) {
		rules = append(rules, flag+" "+address+" ")
	}
	return rules
}

func owned(table, hook, match, fault string, four bool, rules []string, target string) string {
	if len(rules) == 0 {
		return ""
	}
	chain := ChainName(fault)
	var text strings.Builder
	fmt.Fprintf(&text, "*%s\n:%s - [0:0]\n", table, chain)
	if !four {
		for _, kind := range []int{135, 136} {
			fmt.Fprintf(&text, "-A %s -p ipv6-icmp -m icmp6 --icmpv6-type %d -j RETURN\n", chain, kind)
		}
	}
	for _, rule := range rules {
		fmt.Fprintf(&text, "-A %s %s-j %s\n", chain, rule, target)
	}
	fmt.Fprintf(&text, "-I %s %s -j %s\nCOMMIT\n", hook, match, chain)
	return text.String()
}

// IptablesUndo is the text that takes back exactly what a text of ours has made; it fails where somebody has changed that.
func IptablesUndo(text string) string {
	var undo strings.Builder
	var chain string
	for _, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "*"):
			undo.WriteString(line + "\n")
		case strings.HasPrefix(line, ":"):
			chain, _, _ = strings.Cut(line[1:], " ")
		case strings.HasPrefix(line, "-I "):
			undo.WriteString("-D" + line[2:] + "\n")
		case line == "COMMIT":
			undo.WriteString("-F " + chain + "\n-X " + chain + "\nCOMMIT\n")
		}
	}
	return undo.String()
}

// IptablesRemoval is the text for iptables-restore --noflush that takes a chain and every jump to it out of all tables of a save; empty when it is nowhere.
func IptablesRemoval(save, chain string) string {
	var text strings.Builder
	var name string
	var jumps []string
	found := false
	for _, line := range strings.Split(save, "\n") {
		switch {
		case strings.HasPrefix(line, "*"):
			name, jumps, found = line, nil, false
		case strings.HasPrefix(line, ":"+chain+" "):
			found = true
		case strings.HasPrefix(line, "-A ") && (strings.HasSuffix(line, " -j "+chain) || strings.HasSuffix(line, " -g "+chain)):
			jumps = append(jumps, "-D"+strings.TrimPrefix(line, "-A"))
		case line == "COMMIT" && (found || jumps != nil):
			text.WriteString(name + "\n")
			for _, jump := range jumps {
				text.WriteString(jump + "\n")
			}
			if found {
				text.WriteString("-F " + chain + "\n-X " + chain + "\n")
			}
			text.WriteString("COMMIT\n")
		}
	}
	return text.String()
}

// IptablesPackets adds up the counters of a chain's rules in what iptables-save -c says; false when there is none.
func IptablesPackets(save, chain string) (int64, bool) {
	var sum int64
	found := false
	for _, line := range strings.Split(save, "\n") {
		counters, rule, ok := strings.Cut(line, "] ")
		if !ok || !strings.HasPrefix(rule, "-A "+chain+" ") || strings.HasSuffix(rule, "-j RETURN") {
			continue
		}
		packets, _, _ := strings.Cut(strings.TrimPrefix(counters, "["), ":")
		n, err := strconv.ParseInt(packets, 10, 64)
		if err != nil {
			continue
		}
		sum, found = sum+n, true
	}
	return sum, found
}
