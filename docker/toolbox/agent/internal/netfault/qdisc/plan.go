// Package qdisc computes the queueing disciplines of an interface from the faults that want them. Pure but for State's file.
package qdisc

import (
	"fmt"
	"math"
	"net/netip"
	"sort"
	"strconv"
	"strings"
	"time"

	"subjectd/toolbox/internal/fail"
)

// Major is the major number of our root qdisc; it is the mark by which it is known again.
const Major = "5bd0:"

// Fault is what one fault wants of the qdiscs. Exactly one of Max, Percent and RateKbit is above zero. Nil peers mean everything that leaves.
type Fault struct {
	ID          string        `json:"fault"`
	ContainerID string        `json:"container_id"`
	Min         time.Duration `json:"min,omitempty"`
	Max         time.Duration `json:"max,omitempty"`
	Percent     float64       `json:"percent,omitempty"`
	RateKbit    int64         `json:"rate_kbit,omitempty"`
	Peers       []netip.Addr  `json:"peers"`
}

// MaxJitter is the widest range (max-min) netem can draw from: it computes 2*jitter in 32 bits of nanoseconds (sch_netem.c, tabledist).
const MaxJitter = 4 * time.Second

// maxBands is the kernel's TCQ_PRIO_BANDS.
const maxBands = 16

// Plan is the batch for tc that builds one interface's tree of all faults; empty for none. The shape, where each part is there only if it is needed:
//
//	root 5bd0: tbf (all that leaves) → prio, a band for every set of faults an address can have, u32 filters by address → netem
//
// Delays of one packet add up, losses combine as independent ones, of several rates the lowest holds. `unsupported` when there are more sets than bands.
func Plan(faults []Fault, device string) ([]string, error) {
	if len(faults) == 0 {
		return nil, nil
	}
	parent, handle, next := "root", Major, 1
	var lines []string
	add := func(format string, args ...any) {
		lines = append(lines, fmt.Sprintf("qdisc add dev %s %s handle %s ", device, parent, handle)+fmt.Sprintf(format, args...))
	}
	rate := lowestRate(faults)
	if rate > 0 {
		add("%s", Tbf(rate))
		parent, handle, next = "parent "+Major+"1", child(next), next+1
	}
	bands := bandsOf(faults)
	if len(bands) > maxBands {
		return nil, fail.New("unsupported", "the faults of this node tell more than %d groups of peers apart", maxBands)
	}
	if len(bands) == 1 {
		if bands[0].shapes() {
			add("%s", bands[0].netem(rate))
		}
		return lines, nil
	}
	top := handle
	add("prio bands %d priomap%s", len(bands), strings.Repeat(" 0", 16))
	for i, band := range bands {
		class := fmt.Sprintf("%s%x", top, i+1)
		if band.shapes() {
			parent, handle, next = "parent "+class, child(next), next+1
			add("%s", band.netem(rate))
		}
		for _, address := range band.addresses {
			lines = append(lines, filter(device, top, class, address))
		}
	}
	return lines, nil
}

// Tbf is the rate limiter: bursts of 10 ms, but always some full packets, and a queue of 400 ms, as a slow link's device has it.
func Tbf(rateKbit int64) string {
	bytes := rateKbit * 1000 / 8
	burst := max(5000, bytes/100)
	return fmt.Sprintf("tbf rate %dkbit burst %d limit %d", rateKbit, burst, max(burst+15000, bytes*4/10))
}

func lowestRate(faults []Fault) int64 {
	var lowest int64
	for _, fault := range faults {
		if fault.RateKbit > 0 && (lowest == 0 || fault.RateKbit < lowest) {
			lowest = fault.RateKbit
		}
	}
	return lowest
}

func child(n int) string { return strconv.FormatInt(0x5bd0+int64(n), 16) + ":" }

func filter(device, parent, class string, address netip.Addr) string {
	protocol, match, bits, priority := "ip", "ip", 32, 1
	if address.Is6() {
		protocol, match, bits, priority = "ipv6", "ip6", 128, 2
	}
	return fmt.Sprintf("filter add dev %s parent %s protocol %s prio %d u32 match %s dst %s/%d flowid %s", device, parent, protocol, priority, match, address, bits, class)
}

// band is one set of faults and the addresses that have exactly these. The first one is everybody else's.
type band struct {
	faults    []Fault
	addresses []netip.Addr
}

func (b band) shapes() bool { return len(b.faults) > 0 }

// netem's line. With jitter alone netem reorders (its queue is sorted by time, and a fifo below it only gets what has left that queue). With a rate it takes
// the last packet's time as the earliest time of the next (sch_netem.c, netem_enqueue: "Last packet in queue is reference point"), so a rate too high to
// matter keeps the order, of all flows of the band together. 30 Gbit/s is what fits 32 bits of bytes a second.
func (b band) netem(rateKbit int64) string {
	var low, high time.Duration
	passing := 1.0
	for _, fault := range b.faults {
		low, high = low+fault.Min, high+fault.Max
		passing *= 1 - fault.Percent/100
	}
	limit := int64(200000)
	if rateKbit > 0 {
		// Below a tbf this queue is the one that fills: it holds what is delayed and 400 ms more.
		limit = max(1000, int64((high+400*time.Millisecond).Seconds()*float64(rateKbit)*1000/8/1500))
	}
	text := fmt.Sprintf("netem limit %d", limit)
	if high > 0 {
		text += fmt.Sprintf(" delay %dus", (low+high).Microseconds()/2)
		if high > low {
			text += fmt.Sprintf(" %dus", min(MaxJitter, high-low).Microseconds()/2)
		}
	}
	if lost := 100 * (1 - passing); lost > 0 {
		text += " loss random " + strconv.FormatFloat(math.Round(lost*1e6)/1e6, 'f', -1, 64) + "%"
	}
	if high > low {
		text += " rate 30gbit"
	}
	return text
}

func bandsOf(faults []Fault) []band {
	members := map[netip.Addr][]Fault{}
	var everyone []Fault
	sorted := append([]Fault(nil), faults...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].ID < sorted[j].ID })
	for _, fault := range sorted {
		for _, address := range fault.Peers {
			members[address.Unmap().WithZone("")] = nil
		}
	}
	for _, fault := range sorted {
		if fault.RateKbit > 0 {
			continue
		}
		if fault.Peers == nil {
			everyone = append(everyone, fault)
			for address := range members {
				members[address] = append(members[address], fault)
			}
			continue
		}
		seen := map[netip.Addr]bool{}
		for _, peer := range fault.Peers {
			if address := peer.Unmap().WithZone(""); !seen[address] {
				seen[address] = true
				members[address] = append(members[address], fault)
			}
		}
	}
	addresses := make([]netip.Addr, 0, len(members))
	for address := range members {
		addresses = append(addresses, address)
	}
	sort.Slice(addresses, func(i, j int) bool { return addresses[i].Less(addresses[j]) })
	bands := []band{{faults: everyone}}
	at := map[string]int{ids(everyone): 0}
	for _, address := range addresses {
		key := ids(members[address])
		n, ok := at[key]
		if !ok {
			n = len(bands)
			at[key] = n
			bands = append(bands, band{faults: members[address]})
		}
		if n > 0 { // the first band needs no filter
			bands[n].addresses = append(bands[n].addresses, address)
		}
	}
	return bands
}

func ids(faults []Fault) string {
	var text strings.Builder
	for _, fault := range faults {
		text.WriteString(fault.ID + " ")
	}
	return text.String()
}
