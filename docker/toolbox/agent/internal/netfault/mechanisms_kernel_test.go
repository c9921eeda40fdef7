//go:build kernel

package netfault

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/netfault/train"
)

// mechanisms are the settings under which each way of doing a thing is the one that is taken.
var mechanisms = map[string][]Option{
	"preferred":              nil,
	"nfqueue":                {Without("netem")},
	"nfqueue, legacy":        {Without("netem", "iptables")},
	"netem for losses":       {Without("nft_netdev")},
	"iptables":               {Without("netem", "nft_netdev")},
	"iptables-legacy":        {Without("netem", "nft_netdev", "iptables")},
	"iptables without queue": {Without("netem", "nft_netdev", "nfqueue")},
}

// distinct keeps of the settings those that differ on this kernel: without netem, for one, it cannot be left out.
func distinct(t *testing.T, among ...string) []string {
	t.Helper()
	seen := map[string]bool{}
	var kept []string
	for _, name := range among {
		m := New(mechanisms[name]...)
		if probed[keyOf(m)] == nil {
			can, err := m.Capabilities(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			probed[keyOf(m)] = &can
		}
		can := *probed[keyOf(m)]
		can.Reasons, can.Iptables = nil, nil
		if key := fmt.Sprintf("%+v", can); !seen[key] {
			seen[key] = true
			kept = append(kept, name)
		}
	}
	return kept
}

func each(t *testing.T, do func(*bench)) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	for _, name := range distinct(t, slices.Sorted(maps.Keys(mechanisms))...) {
		options := mechanisms[name]
		t.Run(name, func(t *testing.T) {
			b := newBench(t, options...)
			before := b.snapshot()
			do(b)
			if left := b.residue(""); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			if after := b.snapshot(); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
		})
	}
}

func between(t testing.TB, what string, value, low, high int64) {
	t.Helper()
	if value < low || value > high {
		t.Errorf("%s: %d is not within %d and %d", what, value, low, high)
	}
}

func TestADelayHoldsForBothFamiliesAndEveryInterfaceButLo(t *testing.T) {
	each(t, func(b *bench) {
		can := b.can()
		b.need("delay", can.Netem || can.Nfqueue)
		result := b.apply(1, "net.delay", `{"min_ms":40,"max_ms":60,"peers":null}`)
		b.Logf("%v", result)
		r := b.trains(40, 5000, "10.99.0.2", "fd99::2", "10.98.0.2", "127.0.0.1", "<10.99.0.1")
		for _, one := range r[:3] {
			if one.Received != 40 || one.Delay.Min < 40000 || one.Delay.P50 > 60000+late(6000) {
				b.Errorf("%s: %d, %+v", one.Name, one.Received, one.Delay)
			}
			// Two processors can hand packets to the other end's stack side by side: between qdisc and receiver the emulated ones do.
			if one.Reordered > 0 && precise() {
				b.Errorf("%s: %d packets were overtaken", one.Name, one.Reordered)
			}
		}
		for _, one := range r[3:] {
			between(b, one.Name, one.Delay.P95, 0, late(4000))
		}
		counted, err := b.m.Counters(b.ctx(), b.near, []byte(`{"fault":"`+faultID(1)+`"}`))
		if n, ok := counted.(map[string]any)["packets"].(int64); err != nil || (result["mechanism"] == "nfqueue" && (!ok || n < 120)) {
			b.Errorf("counted %v %v", counted, err)
		}
		b.clear(1)
		for _, one := range b.trains(10, 2000, "10.99.0.2", "fd99::2") {
			between(b, one.Name+" afterwards", one.Delay.P95, 0, late(4000))
		}
		b.clear(1)
	})
}

func TestPeersAloneAreDelayed(t *testing.T) {
	each(t, func(b *bench) {
		can := b.can()
		b.need("delay", can.Netem || can.Nfqueue)
		b.apply(1, "net.delay", `{"min_ms":20,"max_ms":20,"peers":["10.99.0.2","fd99::2"]}`)
		r := b.trains(20, 3000, "10.99.0.2", "fd99::2", "10.99.0.3", "fd99::3")
		for i, one := range r {
			if i < 2 {
				between(b, one.Name, one.Delay.Min, 20000, 20000+late(4000))
			} else {
				between(b, one.Name, one.Delay.P50, 0, late(4000))
			}
		}
		b.clear(1)
	})
}

func TestALossHoldsAndIsOnlyForPeers(t *testing.T) {
	each(t, func(b *bench) {
		can := b.can()
		b.need("loss", can.NftNetdev || can.Netem || can.Statistic)
		result := b.apply(1, "net.loss", `{"percent":30,"peers":["10.99.0.2","fd99::2"]}`)
		r := b.trains(1000, 200, "10.99.0.2", "fd99::2", "10.99.0.3", "fd99::3", "127.0.0.1")
		for i, one := range r {
			if i < 2 {
				between(b, one.Name, int64(one.Received), 620, 780)
				if result["silent"] == true && one.Refused > 0 || result["silent"] != true && one.Refused != 1000-one.Received {
					b.Errorf("%s: %v, refused %d, received %d", one.Name, result, one.Refused, one.Received)
				}
			} else {
				between(b, one.Name, int64(one.Received), 1000, 1000)
			}
		}
		b.apply(1, "net.loss", `{"percent":100,"peers":null}`) // the same fault replaces
		for _, one := range b.trains(20, 1000, "10.99.0.2", "fd99::2", "10.99.0.3", "10.98.0.2") {
			between(b, one.Name, int64(one.Received), 0, 0)
		}
		b.Logf("%v", result)
		b.clear(1)
		for _, one := range b.trains(20, 1000, "10.99.0.2", "fd99::2") {
			between(b, one.Name+" afterwards", int64(one.Received), 20, 20)
		}
	})
}

func TestADropIsForTheNamedAddressesAndDirections(t *testing.T) {
	each(t, func(b *bench) {
		can := b.can()
		b.need("drop", can.NftNetdev || can.Iptables != nil)
		result := b.apply(1, "net.drop", `{"to":["10.99.0.2","fd99::2"],"from":["10.99.0.2"]}`)
		r := b.trains(30, 1000, "10.99.0.2", "fd99::2", "10.99.0.3", "fd99::3", "10.98.0.2", "<10.99.0.1", "<fd99::1", "127.0.0.1")
		want := []int64{0, 0, 30, 30, 30, 0, 30, 30}
		for i, one := range r {
			between(b, one.Name, int64(one.Received), want[i], want[i])
			if result["silent"] == true && one.Refused > 0 {
				b.Errorf("%s: refused %d", one.Name, one.Refused)
			}
		}
		counted, err := b.m.Counters(b.ctx(), b.near, []byte(`{"fault":"`+faultID(1)+`"}`))
		if n, ok := counted.(map[string]any)["packets"].(int64); err != nil || !ok || n < 90 {
			b.Errorf("counted %v %v", counted, err)
		}
		b.Logf("%v %v", result, counted)
		b.clear(1)
		for _, one := range b.trains(20, 1000, "10.99.0.2", "fd99::2", "<10.99.0.1") {
			between(b, one.Name+" afterwards", int64(one.Received), 20, 20)
		}
	})
}

func TestARateHolds(t *testing.T) {
	b := newBench(t)
	b.need("tbf", b.can().Tbf)
	b.apply(1, "net.rate", `{"rate_kbit":2000}`)
	r := b.send(train.Request{Pairs: []train.Pair{{Name: "a", From: "near", To: "far", Address: "10.99.0.2"}}, Count: 1500, IntervalUs: 1000, Size: 1000, WaitMs: 600})
	between(t, "kbit/s", *r[0].RateKbit, 1800, 2150)
	b.clear(1)
	if left := b.residue(""); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestFaultsComposeAndGoInAnyOrder(t *testing.T) {
	steps := [][2]string{{"net.delay", `{"min_ms":30,"max_ms":40,"peers":null}`}, {"net.loss", `{"percent":40,"peers":null}`}, {"net.rate", `{"rate_kbit":20000}`}}
	orders := [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	if testing.Short() {
		orders = orders[1:4:4]
	}
	for _, name := range distinct(t, "preferred", "nfqueue", "netem for losses", "iptables") {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, mechanisms[name]...)
			can := b.can()
			b.need("tbf", can.Tbf)
			before := b.snapshot()
			check := func(active map[int]bool, when string) {
				r := b.trains(300, 500, "10.99.0.2", "fd99::2")
				for _, one := range r {
					if active[0] && (one.Delay.Min < 30000 || one.Delay.P50 > 40000+late(20000)) || !active[0] && one.Delay.Min > late(8000) {
						b.Errorf("%s: %s: delay %+v", when, one.Name, one.Delay)
					}
					if active[1] && (one.Received < 130 || one.Received > 230) || !active[1] && one.Received != 300 {
						b.Errorf("%s: %s: received %d", when, one.Name, one.Received)
					}
				}
				rate := b.snapshot()
				if strings.Contains(rate, "qdisc tbf 5bd0:") != active[2] {
					b.Errorf("%s: %s", when, rate)
				}
			}
			for _, order := range orders {
				active := map[int]bool{}
				for _, i := range order {
					b.apply(i+1, steps[i][0], steps[i][1])
					active[i] = true
				}
				check(active, "all")
				for _, i := range order {
					b.clear(i + 1)
					active[i] = false
					if left := b.residue(faultID(i + 1)); len(left) > 0 {
						b.Errorf("left: %v", left)
					}
					check(active, strings.Join([]string{"without", steps[i][0]}, " "))
				}
				if after := b.snapshot(); after != before || len(b.residue("")) > 0 {
					b.Errorf("before:\n%s\nafter:\n%s", before, after)
				}
			}
		})
	}
}

func TestAForeignQdiscIsAConflictAndStays(t *testing.T) {
	b := newBench(t)
	b.need("tbf", b.can().Tbf)
	b.in(b.near, "tc", "qdisc", "add", "dev", "eth1", "root", "handle", "1:", "tbf", "rate", "10mbit", "burst", "5000", "limit", "50000")
	before := b.snapshot()
	if _, err := b.m.Apply(b.ctx(), b.near, request(1, "net.rate", `{"rate_kbit":1000}`)); !fail.Is(err, "conflict") {
		t.Fatalf("%v", err)
	}
	b.clear(1)
	if after := b.snapshot(); after != before {
		t.Fatalf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestApplyAndClearAreFast(t *testing.T) {
	if testing.Short() {
		t.Skip("a measurement: a run without -short makes it")
	}
	if os.Getenv("NETFAULT_EMULATED") != "" {
		t.Skip("the processor is emulated: how fast it is says nothing")
	}
	all := map[string][2]string{
		"delay": {"net.delay", `{"min_ms":50,"max_ms":50,"peers":null}`}, "loss": {"net.loss", `{"percent":10,"peers":null}`},
		"rate": {"net.rate", `{"rate_kbit":1000}`}, "drop": {"net.drop", `{"to":["10.99.0.2","fd99::2"],"from":["10.99.0.2","fd99::2"]}`},
	}
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	for _, name := range distinct(t, slices.Sorted(maps.Keys(mechanisms))...) {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, mechanisms[name]...)
			for kind, one := range all {
				const rounds = 10
				var applying, clearing time.Duration
				var mechanism any
				for n := range rounds {
					start := time.Now()
					result, err := b.m.Apply(b.ctx(), b.near, request(n, one[0], one[1]))
					if fail.Is(err, "unsupported") {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					applying += time.Since(start)
					start = time.Now()
					b.clear(n)
					clearing += time.Since(start)
					mechanism = result["mechanism"]
				}
				t.Logf("%s by %v: apply %.1f ms, clear %.1f ms", kind, mechanism, applying.Seconds()*1000/rounds, clearing.Seconds()*1000/rounds)
				if longest := rounds * 100 * 1000; applying.Microseconds() > late(int64(longest)) || clearing.Microseconds() > late(int64(longest)) {
					t.Errorf("%s by %v is slow", kind, mechanism)
				}
			}
		})
	}
}
