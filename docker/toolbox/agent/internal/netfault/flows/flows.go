// Package flows reads a namespace's TCP connections from the kernel's tables (/proc/net/tcp, /proc/net/tcp6; columns in Documentation/networking/proc_net_tcp.rst).
package flows

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Flow is one established connection.
type Flow struct {
	Local, Remote netip.AddrPort
	// Timer is what it waits for: 1 a retransmission, 2 keep-alive and others, 4 a probe of a closed window.
	Timer int
	// Retransmits counts the time-outs since the last acknowledgement.
	Retransmits int
}

// Backoff tells whether the connection waits for a retransmission after a time-out.
func (f Flow) Backoff() bool { return f.Timer == 1 && f.Retransmits > 0 }

const established = "01"

// Parse reads one of the two tables and answers the established connections, IPv4-mapped addresses as IPv4.
func Parse(table string) ([]Flow, error) {
	var list []Flow
	lines := bufio.NewScanner(strings.NewReader(table))
	lines.Scan() // the heading
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 7 || fields[3] != established {
			continue
		}
		flow, err := parse(fields)
		if err != nil {
			return nil, fmt.Errorf("table of connections, %q: %w", lines.Text(), err)
		}
		list = append(list, flow)
	}
	return list, lines.Err()
}

func parse(fields []string) (flow Flow, err error) {
	if flow.Local, err = endpoint(fields[1]); err != nil {
		return flow, err
	}
	if flow.Remote, err = endpoint(fields[2]); err != nil {
		return flow, err
	}
	timer, _, _ := strings.Cut(fields[5], ":")
	kind, err := strconv.ParseInt(timer, 16, 32)
	if err != nil {
		return flow, err
	}
	count, err := strconv.ParseInt(fields[6], 16, 64)
	flow.Timer, flow.Retransmits = int(kind), int(count)
	return flow, err
}

// endpoint reads "0100007F:1F90": words of 32 bits in the machine's own order, the port as a plain number.
func endpoint(text string) (netip.AddrPort, error) {
	words, portText, ok := strings.Cut(text, ":")
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("no address and port: %q", text)
	}
	port, err := strconv.ParseUint(portText, 16, 16)
	if err != nil {
		return netip.AddrPort{}, err
	}
	raw, err := hex.DecodeString(words)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for i := 0; i+4 <= len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	address, ok := netip.AddrFromSlice(raw)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("no address: %q", words)
	}
	return netip.AddrPortFrom(address.Unmap(), uint16(port)), nil
}

// With keeps the flows whose remote end is one of the peers; with nil peers all but those within the node.
func With(flows []Flow, peers []netip.Addr) []Flow {
	var kept []Flow
	for _, flow := range flows {
		remote := flow.Remote.Addr()
		if peers == nil && !remote.IsLoopback() {
			kept = append(kept, flow)
		}
		for _, peer := range peers {
			if peer.Unmap().WithZone("") == remote {
				kept = append(kept, flow)
				break
			}
		}
	}
	return kept
}
