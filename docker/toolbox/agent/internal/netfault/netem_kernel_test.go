//go:build kernel

package netfault

import (
	"fmt"
	"net/netip"
	"regexp"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/netfault/qdisc"
	"subjectd/toolbox/internal/netfault/train"
)

// newNetemBench takes netem for losses too, and skips where the kernel has none.
func newNetemBench(t *testing.T) *bench {
	b := newBench(t, Without("nft_netdev"))
	b.need("netem", b.can().Netem)
	b.need("netem with peers", b.can().peers)
	return b
}

// netemSteps are faults whose peers overlap, so that every kind of part a tree can have is needed: step and the same as the plan's input.
var netemSteps = []struct {
	op, members string
	fault       qdisc.Fault
}{
	{"net.delay", `{"min_ms":30,"max_ms":50,"peers":["10.99.0.2","fd99::2"]}`, qdisc.Fault{Min: 30 * time.Millisecond, Max: 50 * time.Millisecond, Peers: peersOf("10.99.0.2", "fd99::2")}},
	{"net.loss", `{"percent":100,"peers":["10.99.0.3","fd99::2"]}`, qdisc.Fault{Percent: 100, Peers: peersOf("10.99.0.3", "fd99::2")}},
	{"net.rate", `{"rate_kbit":20000}`, qdisc.Fault{RateKbit: 20000}},
	{"net.delay", `{"min_ms":20,"max_ms":20,"peers":null}`, qdisc.Fault{Min: 20 * time.Millisecond, Max: 20 * time.Millisecond}},
}

func peersOf(texts ...string) []netip.Addr {
	var all []netip.Addr
	for _, text := range texts {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

func TestNetemTreesAreExactlyThePlansInEveryOrder(t *testing.T) {
	b := newNetemBench(t)
	before := b.snapshot()
	for n, order := range permutations(len(netemSteps) - 1) {
		order = slices.Insert(order, n%len(netemSteps), len(netemSteps)-1) // every order of the others, and the last one at each place
		var active []int
		for _, i := range order {
			b.apply(i+1, netemSteps[i].op, netemSteps[i].members)
			active = append(active, i)
			b.sameTrees(active, order)
		}
		for len(active) > 0 {
			b.clear(active[0] + 1)
			active = active[1:]
			b.sameTrees(active, order)
		}
		if after := b.snapshot(); after != before || len(b.residue("")) > 0 {
			b.Fatalf("%v: before:\n%s\nafter:\n%s", order, before, after)
		}
	}
}

func TestEveryPacketTakesTheBandOfItsAddress(t *testing.T) {
	const count = 100
	b := newNetemBench(t)
	for i, one := range netemSteps {
		b.apply(i+1, one.op, one.members)
	}
	r := b.trains(count, 3000, "10.99.0.2", "fd99::2", "10.99.0.3", "fd99::3", "10.98.0.2", "<10.99.0.1", "127.0.0.1")
	want := []struct{ received, low, high int64 }{{count, 50, 70}, {0, 0, 0}, {0, 0, 0}, {count, 20, 20}, {count, 20, 20}, {count, 0, 0}, {count, 0, 0}}
	for i, one := range r {
		between(b, one.Name+" received", int64(one.Received), want[i].received, want[i].received)
		if one.Delay != nil {
			between(b, one.Name+" at least", one.Delay.Min, want[i].low*1000, want[i].high*1000+late(4000))
			between(b, one.Name+" median", one.Delay.P50, want[i].low*1000, want[i].high*1000+late(4000))
			b.Logf("%s: asked %d to %d ms: min %.2f p50 %.2f p95 %.2f max %.2f ms", one.Name, want[i].low, want[i].high, f(one.Delay.Min), f(one.Delay.P50), f(one.Delay.P95), f(one.Delay.Max))
		}
	}
	// The filters say how often they were asked and how often they matched. IPv4 packets to these addresses are those of the train; of IPv6, neighbour discovery may come on top.
	hits := b.filterHits("eth0")
	b.Logf("filters hit: %v", hits)
	between(b, "filter of 10.99.0.2", hits["10.99.0.2"], count, count)
	between(b, "filter of 10.99.0.3", hits["10.99.0.3"], count, count)
	between(b, "filter of fd99::2", hits["fd99::2"], count, count+5)
	for i := range netemSteps {
		b.clear(i + 1)
	}
}

// With one processor nothing after the qdisc can overtake: exactly none may. With more a packet that one processor still hands to the other end's stack can be
// overtaken by the next, sent by another (veth's receive queues are the processors'); that is no doing of netem's and is only counted.
func TestNetemKeepsTheOrderOfAFlow(t *testing.T) {
	b := newNetemBench(t)
	for n, members := range []string{`{"min_ms":5,"max_ms":45,"peers":null}`, `{"min_ms":5,"max_ms":45,"peers":["10.99.0.2","fd99::2"]}`} {
		b.apply(n, "net.delay", members)
		b.apply(9, "net.rate", `{"rate_kbit":50000}`)
		for _, interval := range []int{500, 2000, 10000} {
			count := min(1000, 2_000_000/interval)
			for _, one := range b.trains(count, interval, "10.99.0.2", "fd99::2") {
				b.Logf("%d processors, %s at %d/s: asked 5 to 45 ms: min %.2f p50 %.2f max %.2f ms; %d of %d were overtaken", runtime.NumCPU(), one.Name, 1000000/interval, f(one.Delay.Min), f(one.Delay.P50), f(one.Delay.Max), one.Reordered, count)
				between(b, one.Name+" received", int64(one.Received), int64(count), int64(count))
				between(b, one.Name+" at least", one.Delay.Min, 5000, 45000)
				if runtime.NumCPU() == 1 && one.Reordered > 0 || one.Reordered > count/20 { // 5 %: a stalled processor, not chance
					b.Errorf("%s: %d of %d packets were overtaken", one.Name, one.Reordered, count)
				}
			}
		}
		b.clear(n)
		b.clear(9)
	}
}

// The engine gives its veths no transmit queue at all; a plain fifo of that length in a band would lose every packet.
func TestBandsOfADeviceWithoutAQueueLoseNothing(t *testing.T) {
	b := newNetemBench(t)
	for _, device := range []string{"eth0", "eth1"} {
		b.in(b.near, "ip", "link", "set", device, "txqueuelen", "0")
	}
	b.apply(1, "net.delay", `{"min_ms":10,"max_ms":10,"peers":["10.99.0.2"]}`)
	b.apply(2, "net.rate", `{"rate_kbit":100000}`)
	for _, one := range b.trains(300, 500, "10.99.0.2", "10.99.0.3", "fd99::2", "10.98.0.2") {
		between(b, one.Name, int64(one.Received), 300, 300)
	}
	b.clear(1)
	b.clear(2)
}

func TestATreeThatCannotBeMadeLeavesTheEarlierOne(t *testing.T) {
	b := newNetemBench(t)
	b.apply(1, "net.delay", netemSteps[0].members)
	before := b.snapshot()
	for n := range 14 {
		b.apply(10+n, "net.loss", fmt.Sprintf(`{"percent":1,"peers":["10.99.0.%d"]}`, 100+n))
	}
	full := b.snapshot()
	if _, err := b.m.Apply(b.ctx(), b.near, request(30, "net.loss", `{"percent":1,"peers":["10.99.0.200"]}`)); !fail.Is(err, "unsupported") {
		b.Fatalf("a 17th band: %v", err)
	}
	if after := b.snapshot(); after != full {
		b.Fatalf("before:\n%s\nafter:\n%s", full, after)
	}
	// Somebody took an interface's tree away meanwhile: clearing and applying go on.
	b.in(b.near, "tc", "qdisc", "del", "dev", "eth1", "root")
	for n := range 14 {
		b.clear(10 + n)
	}
	if after := b.snapshot(); after != before {
		b.Fatalf("before:\n%s\nafter:\n%s", before, after)
	}
	b.clear(1)
	if left := b.residue(""); len(left) > 0 {
		b.Fatalf("left: %v", left)
	}
}

// A later agent knows the parts of a tree from the state directory alone, and without it removes the tree as a whole.
func TestALaterAgentTakesOneFaultOutOfATree(t *testing.T) {
	b := newNetemBench(t)
	before := b.snapshot()
	for i, one := range netemSteps {
		b.apply(i+1, one.op, one.members)
	}
	b.m = New(WithStateDir(b.m.state.Dir), Without("nft_netdev"))
	b.clear(2)
	b.sameTrees([]int{0, 2, 3}, "a later agent")
	b.m = New(WithStateDir(t.TempDir()), Without("nft_netdev"))
	if len(b.residue(faultID(1))) == 0 {
		b.Error("a tree of which nothing is known should be found")
	}
	b.clear(1)
	if after := b.snapshot(); after != before {
		b.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestNetemDelaysAreAccurate(t *testing.T) {
	b := newBench(t)
	b.need("netem", b.can().Netem)
	b.accuracy("idle", []int{5, 50})
}

func TestALateWideDelayAndAFullQueueHold(t *testing.T) {
	b := newNetemBench(t)
	b.apply(1, "net.delay", `{"min_ms":1000,"max_ms":1000,"peers":null}`)
	r := b.send(train.Request{Pairs: []train.Pair{{Name: "a", From: "near", To: "far", Address: "10.99.0.2"}}, Count: 4000, IntervalUs: 200, Size: 64, WaitMs: 2500})[0]
	between(t, "received", int64(r.Received), 4000, 4000)
	between(t, "at least", r.Delay.Min, 1000000, 1000000+late(4000))
	b.clear(1)
}

var (
	treeLine = regexp.MustCompile(`(?m)^qdisc (\S+) (5bd[0-9a-f]:) (?:dev \S+ )?(root|parent \S+)`)
	hitLine  = regexp.MustCompile(`rule hit \d+ success (\d+)`)
	matched  = regexp.MustCompile(`(?m)^\s+match ([0-9a-f]{8})/ffffffff at`)
)

// sameTrees compares both interfaces' qdiscs and filters with the plan of the active steps, part by part.
func (b *bench) sameTrees(active []int, when any) {
	b.Helper()
	var faults []qdisc.Fault
	for _, i := range active {
		fault := netemSteps[i].fault
		fault.ID = faultID(i + 1)
		faults = append(faults, fault)
	}
	for _, device := range []string{"eth0", "eth1"} {
		lines, err := qdisc.Plan(faults, device)
		if err != nil {
			b.Fatal(err)
		}
		var want, got []string
		filters := map[string]int{}
		for _, line := range lines {
			words := strings.Fields(line)
			switch {
			case words[0] == "filter":
				filters[words[5]]++
			case words[4] == "root":
				want = append(want, words[7]+" "+words[6]+" root")
			default:
				want = append(want, words[8]+" "+words[7]+" parent "+words[5])
			}
		}
		for _, match := range treeLine.FindAllStringSubmatch(b.in(b.near, "tc", "qdisc", "show", "dev", device), -1) {
			got = append(got, match[1]+" "+match[2]+" "+match[3])
		}
		sort.Strings(want)
		sort.Strings(got)
		if !slices.Equal(want, got) {
			b.Fatalf("%v, %v: %s has\n%s\nand not\n%s", when, active, device, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for parent, n := range filters {
			listing := b.in(b.near, "tc", "filter", "show", "dev", device, "parent", parent)
			if found := strings.Count(listing, "flowid 5bd") + strings.Count(listing, "*flowid 5bd"); found != n {
				b.Fatalf("%v, %v: %s has %d filters and not %d:\n%s", when, active, device, found, n, listing)
			}
		}
	}
}

// filterHits is how many packets matched the filters of an address.
func (b *bench) filterHits(device string) map[string]int64 {
	b.Helper()
	hits := map[string]int64{}
	for _, one := range qdisc.ParseListing(b.in(b.near, "tc", "qdisc", "show")) {
		if one.Kind != "prio" || one.Dev != device {
			continue
		}
		for _, entry := range strings.Split(b.in(b.near, "tc", "-s", "filter", "show", "dev", device, "parent", one.Handle), "filter ") {
			hit := hitLine.FindStringSubmatch(entry)
			words := matched.FindAllStringSubmatch(entry, -1)
			if hit == nil || len(words) == 0 {
				continue
			}
			text := ""
			for _, word := range words {
				text += word[1]
			}
			n, _ := strconv.ParseInt(hit[1], 10, 64)
			hits[addressOf(text)] += n
		}
	}
	return hits
}

func addressOf(hex string) string {
	bytes := make([]byte, len(hex)/2)
	for i := range bytes {
		n, _ := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		bytes[i] = byte(n)
	}
	address, _ := netip.AddrFromSlice(bytes)
	return address.String()
}

func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var all [][]int
	for _, shorter := range permutations(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(shorter), at, n-1))
		}
	}
	return all
}
