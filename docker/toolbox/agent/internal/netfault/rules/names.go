// Package rules has the texts that nft and iptables-restore are given, and reads what iptables-save answers. Pure.
package rules

import (
	"net/netip"
	"regexp"
	"strings"
)

var faultID = regexp.MustCompile(`^flt_[0-9A-Za-z]{26}$`)

// ValidFault tells whether an id can be part of our names: `flt_` and 26 letters or digits.
func ValidFault(id string) bool { return faultID.MatchString(id) }

// TableName is the nft table (family netdev) of a fault.
func TableName(fault string) string { return tablePrefix + fault }

// ChainName is the iptables chain of a fault; 28 characters are all that iptables allows.
func ChainName(fault string) string { return "S-" + strings.TrimPrefix(fault, "flt_") }

const tablePrefix = "subjectd_"

var (
	ownTable = regexp.MustCompile(`(?m)^table netdev (subjectd_flt_[0-9A-Za-z]{26})\b`)
	ownChain = regexp.MustCompile(`(?m)^:(S-[0-9A-Za-z]{26}) `)
)

// OwnTables lists our tables in what `nft list tables` says.
func OwnTables(listing string) []string { return all(ownTable, listing) }

// OwnChains lists our chains in what iptables-save says.
func OwnChains(save string) []string { return all(ownChain, save) }

var (
	chainInLine = regexp.MustCompile(`^(?::|-A )(S-[0-9A-Za-z]{26}) |-[jg] (S-[0-9A-Za-z]{26})$`)
	counted     = regexp.MustCompile(` ?\[\d+:\d+\] ?`)
)

// OwnChainIn is the chain of ours that a line of iptables-save declares, fills or jumps to; empty for none.
func OwnChainIn(line string) string {
	match := chainInLine.FindStringSubmatch(line)
	if match == nil {
		return ""
	}
	return match[1] + match[2]
}

// Uncounted is a line of iptables-save without its counters.
func Uncounted(line string) string { return counted.ReplaceAllString(line, "") }

func all(pattern *regexp.Regexp, text string) []string {
	var names []string
	for _, match := range pattern.FindAllStringSubmatch(text, -1) {
		names = append(names, match[1])
	}
	return names
}

// family keeps the addresses of one family, as text.
func family(addresses []netip.Addr, four bool) []string {
	var kept []string
	for _, address := range addresses {
		if address.Unmap().Is4() == four {
			kept = append(kept, address.Unmap().WithZone("").String())
		}
	}
	return kept
}
