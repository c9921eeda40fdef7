package delay

import "testing"

func v4(protocol byte, fragment uint16, source, destination byte, port byte) []byte {
	p := make([]byte, 28)
	p[0], p[9] = 0x45, protocol
	p[6], p[7] = byte(fragment>>8), byte(fragment)
	p[15], p[19], p[21], p[23] = source, destination, port, 80
	return p
}

func v6(next byte, extension bool, port byte) []byte {
	p := make([]byte, 40)
	p[0], p[6], p[23], p[39] = 0x60, next, 1, 2
	if extension {
		p[6] = 0
		p = append(p, next, 0, 0, 0, 0, 0, 0, 0)
	}
	return append(p, 0, port, 0, 80, 0, 0, 0, 0)
}

func TestFlowsAreToldApartByAddressesProtocolAndPorts(t *testing.T) {
	same := [][2][]byte{
		{v4(17, 0, 1, 2, 9), v4(17, 0, 1, 2, 9)},
		{v6(6, false, 9), v6(6, true, 9)},                       // an extension header is no other flow
		{v4(17, 0x2000, 1, 2, 9), v4(17, 0x0010, 1, 2, 77)},     // fragments of one datagram
		{v4(1, 0, 1, 2, 9), v4(1, 0, 1, 2, 77)},                 // ICMP has no ports
		{v4(17, 0x4000, 1, 2, 9), v4(17, 0, 1, 2, 9)},           // do-not-fragment is no fragment
		{append(v4(6, 0, 1, 2, 3), 1, 2, 3), v4(6, 0, 1, 2, 3)}, // content
	}
	for i, pair := range same {
		if FlowOf(pair[0]) != FlowOf(pair[1]) {
			t.Errorf("pair %d should be one flow", i)
		}
	}
	other := [][]byte{v4(17, 0, 1, 2, 9), v4(17, 0, 1, 2, 8), v4(6, 0, 1, 2, 9), v4(17, 0, 1, 3, 9), v4(17, 0, 3, 2, 9), v6(17, false, 9), v6(17, false, 8), v6(6, true, 8)}
	seen := map[uint64]int{}
	for i, p := range other {
		if j, ok := seen[FlowOf(p)]; ok {
			t.Errorf("%d and %d should be two flows", i, j)
		}
		seen[FlowOf(p)] = i
	}
}

func TestShortPacketsAreAFlowOfTheirOwn(t *testing.T) {
	for _, p := range [][]byte{nil, {0x45}, v4(6, 0, 1, 2, 3)[:20], v6(6, true, 1)[:44], {0x60, 0}} {
		FlowOf(p) // no panic
	}
}

func TestTheKernelsMessageIsRead(t *testing.T) {
	attributes := attribute(nil, attrPacketHeader, []byte{0, 0, 1, 2, 8, 0, 4})
	attributes = attribute(attributes, attrPayload, []byte{0x45, 1, 2})
	message := append(header(nil, msgPacket, 0, 5, len(attributes)), attributes...)
	id, payload, ok := parsePacket(message)
	if !ok || id != 258 || len(payload) != 3 || payload[0] != 0x45 {
		t.Fatalf("%d %v %v", id, payload, ok)
	}
	for cut := range len(message) {
		parsePacket(message[:cut]) // no panic
	}
}
