package qdisc

import "strings"

// Listed is one qdisc of `tc qdisc show`.
type Listed struct {
	Kind   string
	Handle string
	Dev    string
	Root   bool
}

// ParseListing reads `tc qdisc show`: its plain text, as its JSON is not valid for every kind that somebody else may have set.
func ParseListing(text string) []Listed {
	var listed []Listed
	for _, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) < 6 || fields[0] != "qdisc" || fields[3] != "dev" {
			continue // a qdisc's further lines are indented
		}
		listed = append(listed, Listed{Kind: fields[1], Handle: fields[2], Dev: fields[4], Root: fields[5] == "root"})
	}
	return listed
}

// Ours tells whether it is our root.
func (l Listed) Ours() bool { return l.Root && l.Handle == Major }

// Foreign tells whether it is a root that somebody set: the kernel's own defaults have the handle 0.
func (l Listed) Foreign() bool { return l.Root && l.Handle != "0:" && !l.Ours() }
