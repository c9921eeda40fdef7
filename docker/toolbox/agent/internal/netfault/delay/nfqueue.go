package delay

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// The kernel's interface: include/uapi/linux/netfilter/nfnetlink_queue.h. Numbers in attributes are big-endian, message headers the host's order.
const (
	msgPacket  = unix.NFNL_SUBSYS_QUEUE<<8 | 0
	msgVerdict = unix.NFNL_SUBSYS_QUEUE<<8 | 1
	msgConfig  = unix.NFNL_SUBSYS_QUEUE<<8 | 2

	attrPacketHeader  = 1
	attrVerdictHeader = 2
	attrPayload       = 10

	configCommand = 1
	configParams  = 2
	configMaxLen  = 3
	configMask    = 4
	configFlags   = 5

	commandBind = 1
	copyPacket  = 2

	flagFailOpen = 1 // a full queue lets packets pass instead of dropping them
	flagGSO      = 4 // big segments come whole

	verdictAccept = 1
)

const (
	copyRange  = 128 // IPv6 header, some extension headers, ports
	maxLength  = 131072
	recvBuffer = 64 << 20
)

// socket is one NFQUEUE of one network namespace.
type socket struct {
	fd     int
	number uint16
	in     [1 << 16]byte
	out    [32]byte
}

// errTaken: somebody else serves that queue number.
var errTaken = errors.New("the queue number is taken")

// bind opens a queue in the namespace of the calling thread.
func bind(number uint16) (*socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	s := &socket{fd: fd, number: number}
	if err := s.configure(); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return s, nil
}

func (s *socket) configure() error {
	if err := unix.Bind(s.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("netlink bind: %w", err)
	}
	if err := unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 2}); err != nil {
		return err
	}
	if err := s.config(configCommand, []byte{commandBind, 0, 0, 0}); err != nil {
		if errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EPERM) {
			return fmt.Errorf("queue %d: %w (%v)", s.number, errTaken, err)
		}
		return fmt.Errorf("bind to queue %d: %w", s.number, err)
	}
	params := append(binary.BigEndian.AppendUint32(nil, copyRange), copyPacket)
	if err := s.config(configParams, params); err != nil {
		return fmt.Errorf("copy range of queue %d: %w", s.number, err)
	}
	if err := s.config(configMaxLen, binary.BigEndian.AppendUint32(nil, maxLength)); err != nil {
		return fmt.Errorf("length of queue %d: %w", s.number, err)
	}
	if err := s.flags(flagFailOpen | flagGSO); err != nil {
		return fmt.Errorf("flags of queue %d: %w", s.number, err)
	}
	// Too small a buffer is filled before the queue is; with fail-open packets then pass, so this is about accuracy only.
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, recvBuffer); err != nil {
		if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, recvBuffer); err != nil {
			return err
		}
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_NETLINK, unix.NETLINK_NO_ENOBUFS, 1); err != nil {
		return err
	}
	return unix.SetNonblock(s.fd, true)
}

func (s *socket) flags(flags uint32) error {
	both := attribute(nil, configFlags, binary.BigEndian.AppendUint32(nil, flags))
	both = attribute(both, configMask, binary.BigEndian.AppendUint32(nil, flags))
	return s.request(msgConfig, both)
}

func (s *socket) config(kind uint16, value []byte) error {
	return s.request(msgConfig, attribute(nil, kind, value))
}

// request sends one message and waits for the kernel's yes or no.
func (s *socket) request(kind uint16, attributes []byte) error {
	message := header(nil, kind, unix.NLM_F_REQUEST|unix.NLM_F_ACK, s.number, len(attributes))
	if err := unix.Sendto(s.fd, append(message, attributes...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	for {
		n, _, err := unix.Recvfrom(s.fd, s.in[:], 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("no answer: %w", err)
		}
		if n >= 20 && binary.NativeEndian.Uint16(s.in[4:]) == unix.NLMSG_ERROR {
			if code := int32(binary.NativeEndian.Uint32(s.in[16:])); code != 0 {
				return unix.Errno(-code)
			}
			return nil
		}
	}
}

// receive reads one packet without waiting: EAGAIN when there is none. Anything that is no packet has ok == false.
func (s *socket) receive() (id uint32, payload []byte, ok bool, err error) {
	n, _, err := unix.Recvfrom(s.fd, s.in[:], 0)
	if err != nil {
		return 0, nil, false, err
	}
	id, payload, ok = parsePacket(s.in[:n])
	return id, payload, ok, nil
}

// accept lets a packet go on.
func (s *socket) accept(id uint32) error {
	message := header(s.out[:0], msgVerdict, unix.NLM_F_REQUEST, s.number, 12)
	message = binary.NativeEndian.AppendUint16(message, 12)
	message = binary.NativeEndian.AppendUint16(message, attrVerdictHeader)
	message = binary.BigEndian.AppendUint32(message, verdictAccept)
	message = binary.BigEndian.AppendUint32(message, id)
	for {
		_, err := unix.Write(s.fd, message)
		if err != unix.EINTR {
			return err
		}
	}
}

func (s *socket) close() { unix.Close(s.fd) }

func header(to []byte, kind uint16, flags uint16, queue uint16, length int) []byte {
	to = binary.NativeEndian.AppendUint32(to, uint32(20+length))
	to = binary.NativeEndian.AppendUint16(to, kind)
	to = binary.NativeEndian.AppendUint16(to, flags)
	to = binary.NativeEndian.AppendUint64(to, 0) // sequence, port
	to = append(to, unix.AF_UNSPEC, 0)
	return binary.BigEndian.AppendUint16(to, queue)
}

func attribute(to []byte, kind uint16, value []byte) []byte {
	to = binary.NativeEndian.AppendUint16(to, uint16(4+len(value)))
	to = binary.NativeEndian.AppendUint16(to, kind)
	to = append(to, value...)
	return append(to, make([]byte, (4-len(value)%4)%4)...)
}

// parsePacket finds a packet's number and first bytes in a message of the queue.
func parsePacket(message []byte) (id uint32, payload []byte, ok bool) {
	if len(message) < 20 || binary.NativeEndian.Uint16(message[4:]) != msgPacket {
		return 0, nil, false
	}
	rest := message[20:]
	for len(rest) >= 4 {
		length := int(binary.NativeEndian.Uint16(rest))
		if length < 4 || length > len(rest) {
			break
		}
		switch binary.NativeEndian.Uint16(rest[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER) {
		case attrPacketHeader:
			if length >= 8 {
				id, ok = binary.BigEndian.Uint32(rest[4:]), true
			}
		case attrPayload:
			payload = rest[4:length]
		}
		rest = rest[min((length+3)&^3, len(rest)):]
	}
	return id, payload, ok
}
