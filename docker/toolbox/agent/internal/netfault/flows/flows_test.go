package flows

import (
	"net/netip"
	"testing"
)

// On a little-endian machine; all that the agent is built for are.
const tcp4 = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0200000A:1F90 0300000A:9C40 01 00000001:00000000 01:00000020 00000003     0        0 2 2 0 20 4 30 10 -1
   2: 0200000A:1F91 0300000A:9C41 01 00000001:00000000 01:00000020 00000000     0        0 2 2 0 20 4 30 10 -1
   3: 0200000A:1F92 0400000A:9C41 01 00000001:00000000 04:00000020 00000000     0        0 2 2 0 20 4 30 10 -1
   4: 0200000A:1F92 0300000A:9C41 06 00000001:00000000 03:00000020 00000000     0        0 2 2 0 20 4 30 10 -1
   5: 0100007F:1F92 0100007F:9C41 01 00000000:00000000 00:00000000 00000000     0        0 2 2 0 20 4 30 10 -1
`

const tcp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 000000FD000000000000000002000000:0050 000000FD000000000000000003000000:C350 01 00000001:00000000 01:00000020 00000002     0        0 2 2 0 20 4 30 10 -1
   1: 0000000000000000FFFF00000200000A:0050 0000000000000000FFFF00000300000A:C350 01 00000000:00000000 00:00000000 00000000     0        0 2 2 0 20 4 30 10 -1
`

func TestOnlyEstablishedConnectionsAreListed(t *testing.T) {
	list, err := Parse(tcp4)
	if err != nil || len(list) != 4 {
		t.Fatalf("%v %v", list, err)
	}
	if got := list[0]; got.Local.String() != "10.0.0.2:8080" || got.Remote.String() != "10.0.0.3:40000" || got.Retransmits != 3 {
		t.Fatalf("%+v", got)
	}
	backoff := []bool{true, false, false, false} // no time-out yet; a window probe; nothing
	for i, want := range backoff {
		if list[i].Backoff() != want {
			t.Errorf("%d: %v", i, list[i])
		}
	}
}

func TestBothFamiliesAndMappedAddressesAreRead(t *testing.T) {
	list, err := Parse(tcp6)
	if err != nil || len(list) != 2 {
		t.Fatalf("%v %v", list, err)
	}
	if list[0].Remote.String() != "[fd00::3]:50000" || !list[0].Backoff() || list[1].Remote.String() != "10.0.0.3:50000" {
		t.Fatalf("%v", list)
	}
}

func TestPeersSelect(t *testing.T) {
	list, _ := Parse(tcp4)
	if got := With(list, nil); len(got) != 3 {
		t.Fatalf("%v", got)
	}
	if got := With(list, []netip.Addr{netip.MustParseAddr("::ffff:10.0.0.4")}); len(got) != 1 || got[0].Local.Port() != 8082 {
		t.Fatalf("%v", got)
	}
	if got := With(list, []netip.Addr{}); len(got) != 0 {
		t.Fatalf("%v", got)
	}
}

func TestABrokenTableIsAnError(t *testing.T) {
	for _, row := range []string{"0: zz:1 0300000A:9C40 01 0 01:0 0", "0: 0200000A:1 0300000A 01 0 01:0 0", "0: 0200000A:1 0300000A:1 01 0 01:0 x", "0: 02:1 0300000A:1 01 0 01:0 0"} {
		if list, err := Parse("heading\n" + row + "\n"); err == nil {
			t.Errorf("%q was read as %v", row, list)
		}
	}
}
