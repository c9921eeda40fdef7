package netfault

import (
	"regexp"
	"slices"
	"sort"
	"strings"
)

var (
	queueNumber = regexp.MustCompile(`(--queue-num |queue num |queue flags bypass to |queue to )\d+`)
	nftHead     = regexp.MustCompile(`^table (\S+) (\S+) \{$`)
	reference   = regexp.MustCompile(` refcnt \d+`)
	ownHandle   = regexp.MustCompile(`\b[89a-f][0-9a-f]{3}:`) // given by the kernel
	seed        = regexp.MustCompile(` seed \d+`)             // of netem's chance, drawn anew for each
	chainLine   = regexp.MustCompile(`^:(\S+) (\S+)`)
)

// iptablesTables are those that iptables keeps in nft; it makes their base chains when it first needs them and leaves them there.
var iptablesTables = []string{"raw", "mangle", "nat", "filter", "security"}

// normaliseNft takes out of `nft -s list ruleset` what is no rule: remarks, queue numbers, and what iptables leaves behind when it has no rules. Tables and their
// parts are sorted; the order of rules stays.
func normaliseNft(listing string) string {
	var tables []string
	var head string
	var parts []string
	var part []string
	for _, line := range strings.Split(listing, "\n") {
		line = queueNumber.ReplaceAllString(line, "${1}N")
		switch {
		case strings.HasPrefix(strings.TrimSpace(line), "#") || strings.TrimSpace(line) == "":
		case nftHead.MatchString(line):
			head, parts = line, nil
		case line == "}":
			match := nftHead.FindStringSubmatch(head)
			iptables := match != nil && (match[1] == "ip" || match[1] == "ip6") && slices.Contains(iptablesTables, match[2])
			if iptables {
				parts = slices.DeleteFunc(parts, emptyBaseChain)
			}
			if !iptables || len(parts) > 0 {
				sort.Strings(parts)
				tables = append(tables, head+"\n"+strings.Join(parts, "")+"}\n")
			}
		case line == "\t}":
			parts = append(parts, strings.Join(append(part, line, ""), "\n"))
			part = nil
		case strings.HasPrefix(line, "\t\t") || strings.HasSuffix(line, "{"):
			part = append(part, line)
		default: // a member of the table itself
			parts = append(parts, line+"\n")
		}
	}
	sort.Strings(tables)
	return strings.Join(tables, "")
}

func emptyBaseChain(part string) bool {
	lines := strings.Split(strings.TrimSuffix(part, "\n"), "\n")
	return len(lines) == 3 && strings.HasPrefix(lines[0], "\tchain ") && strings.HasSuffix(lines[1], "policy accept;")
}

// normaliseSave takes remarks, counters, queue numbers and chains that are as the kernel makes them out of iptables-save. Tables and the names of chains are sorted;
// the order of rules stays.
func normaliseSave(save string) string {
	var tables []string
	var head string
	var chains, list []string
	for _, line := range strings.Split(save, "\n") {
		switch {
		case strings.HasPrefix(line, "*"):
			head, chains, list = line, nil, nil
		case strings.HasPrefix(line, ":"):
			if match := chainLine.FindStringSubmatch(line); match != nil && match[2] != "ACCEPT" {
				chains = append(chains, match[0])
			}
		case strings.HasPrefix(line, "-A "):
			list = append(list, queueNumber.ReplaceAllString(line, "${1}N"))
		case line == "COMMIT" && len(chains)+len(list) > 0:
			sort.Strings(chains)
			// The rules of one chain are together in a save, the chains in an order of their own.
			sort.SliceStable(list, func(i, j int) bool { return ruleChain(list[i]) < ruleChain(list[j]) })
			tables = append(tables, strings.Join(append(append([]string{head}, chains...), list...), "\n")+"\n")
		}
	}
	sort.Strings(tables)
	return strings.Join(tables, "")
}

func ruleChain(rule string) string {
	chain, _, _ := strings.Cut(strings.TrimPrefix(rule, "-A "), " ")
	return chain
}

// normaliseTc takes reference counts, netem's seeds and the kernel's own handles out of tc's lists.
func normaliseTc(listing string, sorted bool) string {
	var lines []string
	for _, line := range strings.Split(listing, "\n") {
		if line = strings.TrimRight(line, " "); line != "" {
			line = seed.ReplaceAllString(reference.ReplaceAllString(line, ""), "")
			lines = append(lines, ownHandle.ReplaceAllString(line, "0:"))
		}
	}
	if sorted {
		sort.Strings(lines)
	}
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}
