// Package residue has the words for what an audit finds of a fault.
package residue

import (
	"cmp"
	"regexp"
	"slices"
)

// Item is one thing of a fault that is still there.
type Item struct {
	// Fault is whose it is; empty where that cannot be told, as of a tree of qdiscs whose faults are not known any more.
	Fault string `json:"-"`
	// What names it for people.
	What string `json:"what"`
	// Name stays the same whatever other faults there are at the node and however often the agent is started.
	Name string `json:"name"`
	// InForce is false of what does nothing by itself: a delay queue that no rule fills, a chain without rules.
	InForce bool `json:"in_force"`
	// Container is whose it is, of what is outside of all containers but is there for one.
	Container string `json:"-"`
	// Volume has the file that this is; both are empty of all else.
	Volume string `json:"volume,omitempty"`
	File   string `json:"-"`
}

// Plain is an item that is in force and goes by one name.
func Plain(fault, what string) Item { return Item{Fault: fault, What: what, Name: what, InForce: true} }

// Whats are the items' names for people.
func Whats(items []Item) []string {
	all := []string{}
	for _, item := range items {
		all = append(all, item.What)
	}
	return all
}

// Sort orders items by what they are.
func Sort(items []Item) {
	slices.SortFunc(items, func(x, y Item) int { return cmp.Compare(x.What, y.What) })
}

var id = regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{26}`)

// FaultIn is the fault whose id an owned object carries in its name, with or without its prefix; empty when there is none in it.
func FaultIn(name string) string {
	if found := id.FindString(name); found != "" {
		return "flt_" + found
	}
	return ""
}
