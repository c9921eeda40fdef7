package netfault

import (
	"encoding/json"
	"net/netip"
	"slices"
	"time"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/netfault/rules"
	"subjectd/toolbox/internal/step"
)

// spec is a step's own members, checked. Nil peers mean everything that leaves.
type spec struct {
	op, fault, containerID string
	low, high              time.Duration
	percent                float64
	rateKbit               int64
	peers, to, from        []netip.Addr
}

const (
	longestDelayMs = 600_000
	mostAddresses  = 4096
)

// parse reads a step; `bad_request` when something is missing or out of range.
func parse(r step.Request) (spec, error) {
	s := spec{op: r.Op, fault: r.Fault, containerID: r.ContainerID}
	if !rules.ValidFault(r.Fault) {
		return s, fail.New("bad_request", "fault: %q is no fault's id", r.Fault)
	}
	var in struct {
		MinMs    float64   `json:"min_ms"`
		MaxMs    float64   `json:"max_ms"`
		Percent  float64   `json:"percent"`
		RateKbit int64     `json:"rate_kbit"`
		Peers    *[]string `json:"peers"`
		To       []string  `json:"to"`
		From     []string  `json:"from"`
	}
	if err := json.Unmarshal(r.Raw, &in); err != nil {
		return s, fail.New("bad_request", "%s: %v", r.Op, err)
	}
	var err error
	if in.Peers != nil {
		if s.peers, err = addresses("peers", *in.Peers); err != nil {
			return s, err
		}
		if len(s.peers) == 0 {
			return s, fail.New("bad_request", "peers: empty; null means everything")
		}
	}
	if s.to, err = addresses("to", in.To); err != nil {
		return s, err
	}
	if s.from, err = addresses("from", in.From); err != nil {
		return s, err
	}
	s.low, s.high = milliseconds(in.MinMs), milliseconds(in.MaxMs)
	s.percent, s.rateKbit = in.Percent, in.RateKbit
	return s, s.check(in.MinMs, in.MaxMs)
}

func (s spec) check(minMs, maxMs float64) error {
	switch s.op {
	case "net.delay":
		if minMs < 0 || maxMs < minMs || maxMs <= 0 || maxMs > longestDelayMs {
			return fail.New("bad_request", "min_ms, max_ms: 0 ≤ min_ms ≤ max_ms ≤ %d and max_ms above 0", longestDelayMs)
		}
	case "net.loss":
		if !(s.percent > 0 && s.percent <= 100) {
			return fail.New("bad_request", "percent: above 0, at most 100")
		}
	case "net.rate":
		if s.rateKbit < 8 || s.rateKbit > 30_000_000 {
			return fail.New("bad_request", "rate_kbit: 8 to 30000000")
		}
	case "net.drop":
		if len(s.to)+len(s.from) == 0 {
			return fail.New("bad_request", "to, from: both are empty")
		}
	default:
		return fail.New("bad_request", "op: %q is no network step", s.op)
	}
	return nil
}

func milliseconds(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }

func addresses(member string, texts []string) ([]netip.Addr, error) {
	if len(texts) > mostAddresses {
		return nil, fail.New("bad_request", "%s: more than %d addresses", member, mostAddresses)
	}
	list := make([]netip.Addr, 0, len(texts))
	for _, text := range texts {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return nil, fail.New("bad_request", "%s: %q is no address", member, text)
		}
		list = append(list, address.Unmap().WithZone(""))
	}
	slices.SortFunc(list, netip.Addr.Compare)
	return slices.Compact(list), nil
}

// overlap tells whether some packet is meant by both.
func overlap(a, b []netip.Addr) bool {
	if a == nil || b == nil {
		return true
	}
	for _, address := range a {
		if slices.Contains(b, address) {
			return true
		}
	}
	return false
}
