package delay

import (
	"encoding/binary"
	"hash/maphash"
)

var seed = maphash.MakeSeed()

// FlowOf tells which flow an IP packet belongs to, from its first bytes: addresses, protocol and, where there are such, ports. Fragments after the first
// have no ports, so all fragments of a datagram go by addresses and protocol alone.
func FlowOf(packet []byte) uint64 {
	var key [37]byte
	switch {
	case len(packet) >= 20 && packet[0]>>4 == 4:
		copy(key[0:], packet[12:20])
		key[32] = packet[9]
		fragment := binary.BigEndian.Uint16(packet[6:])&0x3fff != 0
		if header := int(packet[0]&0xf) * 4; !fragment {
			ports(&key, packet[9], packet[min(header, len(packet)):])
		}
	case len(packet) >= 40 && packet[0]>>4 == 6:
		copy(key[0:], packet[8:40])
		protocol, rest, fragment := upperLayer(packet[6], packet[40:])
		key[32] = protocol
		if !fragment {
			ports(&key, protocol, rest)
		}
	}
	return maphash.Bytes(seed, key[:])
}

func ports(key *[37]byte, protocol byte, header []byte) {
	switch protocol {
	case 6, 17, 132, 136, 33: // TCP, UDP, SCTP, UDP-Lite, DCCP: ports are the first four bytes
		if len(header) >= 4 {
			copy(key[33:], header[:4])
		}
	}
}

// upperLayer steps over IPv6 extension headers.
func upperLayer(next byte, rest []byte) (protocol byte, header []byte, fragment bool) {
	for {
		switch next {
		case 0, 43, 60: // hop-by-hop, routing, destination options
			if len(rest) < 8 {
				return next, nil, false
			}
			length := 8 + int(rest[1])*8
			next, rest = rest[0], rest[min(length, len(rest)):]
		case 44: // fragment
			if len(rest) < 8 {
				return next, nil, true
			}
			return rest[0], nil, true
		default:
			return next, rest, false
		}
	}
}
