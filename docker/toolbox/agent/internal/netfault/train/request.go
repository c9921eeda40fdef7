// Package train measures one-way delay, loss and rate between network namespaces by trains of numbered UDP packets, with the kernel's time stamps.
package train

import (
	"encoding/json"
	"net/netip"
	"time"

	"subjectd/toolbox/internal/fail"
)

// Pair is one direction: from the namespace of a container to an address of another (or the same) one.
type Pair struct {
	Name    string `json:"name"`
	From    string `json:"from"`
	To      string `json:"to"`
	Address string `json:"address"`

	address netip.Addr
}

// Request says what to send. Size is the UDP payload's, in bytes.
type Request struct {
	Pairs      []Pair `json:"pairs"`
	Count      int    `json:"count"`
	IntervalUs int    `json:"interval_us"`
	Size       int    `json:"size"`
	WaitMs     int    `json:"wait_ms"`
}

const (
	headerSize  = 24
	mostPairs   = 256
	mostPackets = 200_000
	longest     = 2 * time.Minute
)

// Parse reads and checks a request; `bad_request` otherwise.
func Parse(args json.RawMessage) (Request, error) {
	var r Request
	if err := json.Unmarshal(args, &r); err != nil {
		return r, fail.New("bad_request", "trains: %v", err)
	}
	switch {
	case len(r.Pairs) == 0 || len(r.Pairs) > mostPairs:
		return r, fail.New("bad_request", "pairs: 1 to %d", mostPairs)
	case r.Count < 1 || r.Count*len(r.Pairs) > mostPackets:
		return r, fail.New("bad_request", "count: at least 1, and at most %d packets of all pairs", mostPackets)
	case r.Size < headerSize || r.Size > 65000:
		return r, fail.New("bad_request", "size: %d to 65000 bytes", headerSize)
	case r.IntervalUs < 0 || r.WaitMs < 0 || r.interval()*time.Duration(r.Count)+r.wait() > longest:
		return r, fail.New("bad_request", "interval_us, wait_ms: the whole takes more than %s", longest)
	}
	for i := range r.Pairs {
		address, err := netip.ParseAddr(r.Pairs[i].Address)
		if err != nil {
			return r, fail.New("bad_request", "pairs[%d].address: %q is no address", i, r.Pairs[i].Address)
		}
		r.Pairs[i].address = address.Unmap()
	}
	return r, nil
}

func (r Request) interval() time.Duration { return time.Duration(r.IntervalUs) * time.Microsecond }
func (r Request) wait() time.Duration     { return time.Duration(r.WaitMs) * time.Millisecond }
