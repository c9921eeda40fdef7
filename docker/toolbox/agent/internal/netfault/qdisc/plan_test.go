package qdisc

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

func peers(texts ...string) []netip.Addr {
	list := []netip.Addr{}
	for _, text := range texts {
		list = append(list, netip.MustParseAddr(text))
	}
	return list
}

var (
	delay = Fault{ID: "a", Min: 50 * time.Millisecond, Max: 150 * time.Millisecond}
	loss  = Fault{ID: "b", Percent: 10}
	rate  = Fault{ID: "c", RateKbit: 1000}
)

func plan(t *testing.T, faults ...Fault) string {
	t.Helper()
	lines, err := Plan(faults, "eth0")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

func same(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Fatalf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestEachFaultAlone(t *testing.T) {
	same(t, plan(t), "")
	same(t, plan(t, delay), "qdisc add dev eth0 root handle 5bd0: netem limit 200000 delay 100000us 50000us rate 30gbit")
	same(t, plan(t, Fault{ID: "a", Min: time.Second, Max: time.Second}), "qdisc add dev eth0 root handle 5bd0: netem limit 200000 delay 1000000us")
	same(t, plan(t, loss), "qdisc add dev eth0 root handle 5bd0: netem limit 200000 loss random 10%")
	same(t, plan(t, rate), "qdisc add dev eth0 root handle 5bd0: tbf rate 1000kbit burst 5000 limit 50000")
}

func TestAllThreeInAnyOrderAreOneTree(t *testing.T) {
	want := `qdisc add dev eth0 root handle 5bd0: tbf rate 1000kbit burst 5000 limit 50000
qdisc add dev eth0 parent 5bd0:1 handle 5bd1: netem limit 1000 delay 100000us 50000us loss random 10% rate 30gbit`
	for _, order := range [][]Fault{{delay, loss, rate}, {delay, rate, loss}, {loss, delay, rate}, {loss, rate, delay}, {rate, delay, loss}, {rate, loss, delay}} {
		same(t, plan(t, order...), want)
	}
}

func TestPeersGetBandsAndEverybodyElseTheFirst(t *testing.T) {
	some := delay
	some.Peers = peers("10.0.0.2", "fd00::2", "::ffff:10.0.0.2")
	same(t, plan(t, some, rate), `qdisc add dev eth0 root handle 5bd0: tbf rate 1000kbit burst 5000 limit 50000
qdisc add dev eth0 parent 5bd0:1 handle 5bd1: prio bands 2 priomap 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
qdisc add dev eth0 parent 5bd1:2 handle 5bd2: netem limit 1000 delay 100000us 50000us rate 30gbit
filter add dev eth0 parent 5bd1: protocol ip prio 1 u32 match ip dst 10.0.0.2/32 flowid 5bd1:2
filter add dev eth0 parent 5bd1: protocol ipv6 prio 2 u32 match ip6 dst fd00::2/128 flowid 5bd1:2`)
}

func TestOverlappingPeersGetABandForEverySetOfFaults(t *testing.T) {
	a, b := delay, loss
	a.Peers, b.Peers = peers("10.0.0.2", "10.0.0.3"), peers("10.0.0.3", "10.0.0.4")
	same(t, plan(t, b, a), `qdisc add dev eth0 root handle 5bd0: prio bands 4 priomap 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
qdisc add dev eth0 parent 5bd0:2 handle 5bd1: netem limit 200000 delay 100000us 50000us rate 30gbit
filter add dev eth0 parent 5bd0: protocol ip prio 1 u32 match ip dst 10.0.0.2/32 flowid 5bd0:2
qdisc add dev eth0 parent 5bd0:3 handle 5bd2: netem limit 200000 delay 100000us 50000us loss random 10% rate 30gbit
filter add dev eth0 parent 5bd0: protocol ip prio 1 u32 match ip dst 10.0.0.3/32 flowid 5bd0:3
qdisc add dev eth0 parent 5bd0:4 handle 5bd3: netem limit 200000 loss random 10%
filter add dev eth0 parent 5bd0: protocol ip prio 1 u32 match ip dst 10.0.0.4/32 flowid 5bd0:4`)
}

func TestAFaultOfAllIsInEveryBand(t *testing.T) {
	some := loss
	some.Peers = peers("10.0.0.2")
	got := plan(t, delay, some)
	if strings.Count(got, "delay 100000us 50000us") != 2 || strings.Count(got, "loss") != 1 {
		t.Fatal(got)
	}
}

func TestDelaysAddUpLossesCombineAndTheLowestRateHolds(t *testing.T) {
	got := plan(t, delay, Fault{ID: "d", Min: 10 * time.Millisecond, Max: 10 * time.Millisecond}, loss, Fault{ID: "e", Percent: 50}, rate, Fault{ID: "f", RateKbit: 500})
	for _, want := range []string{"delay 110000us 50000us", "loss random 55%", "tbf rate 500kbit"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
}

func TestTooManyGroupsAreRefused(t *testing.T) {
	var faults []Fault
	for i := range 16 {
		f := loss
		f.ID, f.Peers = fmt.Sprint(i), peers(fmt.Sprintf("10.0.0.%d", i+1))
		faults = append(faults, f)
	}
	if _, err := Plan(faults, "eth0"); err == nil {
		t.Fatal("17 bands were planned")
	}
	if _, err := Plan(faults[:15], "eth0"); err != nil {
		t.Fatal(err)
	}
}

func TestStateIsKeptForgottenAndGoesWithTheLastFault(t *testing.T) {
	s := State{Dir: t.TempDir()}
	some := delay
	some.ContainerID, some.Peers = "c1", peers("10.0.0.2")
	if err := s.Save("4:77", []Fault{some, loss}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Load("4:77")
	if err != nil || len(got) != 2 || !slices.Equal(got[0].Peers, some.Peers) || got[1].Peers != nil {
		t.Fatalf("%+v %v", got, err)
	}
	if err := s.Forget("a", "c1"); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Load("4:77"); len(got) != 1 || got[0].ID != "b" {
		t.Fatalf("%+v", got)
	}
	if err := s.Save("4:77", nil); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Load("4:77"); got != nil || err != nil {
		t.Fatal("still there")
	}
}

func TestARootIsOursForeignOrTheKernels(t *testing.T) {
	listed := ParseListing(`qdisc noqueue 0: dev lo root refcnt 2 
qdisc tbf 5bd0: dev eth0 root refcnt 2 rate 1Mbit burst 5000b lat 360ms
 backlog 0b 0p requeues 0
qdisc htb 1: dev eth1 root refcnt 2 r2q 10 default 0 direct_packets_stat 0
qdisc netem 5bd1: dev eth0 parent 5bd0:1 limit 1000 delay 100ms
qdisc ingress ffff: dev eth0 parent ffff:fff1 ----------------
`)
	if len(listed) != 5 || listed[0].Ours() || listed[0].Foreign() || !listed[1].Ours() || !listed[2].Foreign() || listed[3].Ours() || listed[3].Foreign() || listed[4].Foreign() {
		t.Fatalf("%+v", listed)
	}
}
