package train

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const bufferBytes = 16 << 20

// A sender under delay keeps its packets charged to its own buffer, so that has to be as large as the receiver's.
func prepare(conn syscall.RawConn, options map[int]int) error {
	var failed error
	err := conn.Control(func(fd uintptr) {
		for option, value := range options {
			if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, option, value); err != nil {
				failed = fmt.Errorf("socket option %d: %w", option, err)
			}
		}
	})
	if err != nil {
		return err
	}
	return failed
}

// listen opens the receiving socket in the namespace of the calling thread.
func listen(address netip.Addr) (*net.UDPConn, error) {
	conn, err := open(address)
	if err != nil {
		return nil, err
	}
	raw, err := conn.SyscallConn()
	if err == nil {
		err = prepare(raw, map[int]int{unix.SO_RCVBUFFORCE: bufferBytes, unix.SO_TIMESTAMPNS: 1})
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// dial opens the sending socket in the namespace of the calling thread.
func dial(address netip.Addr) (*net.UDPConn, error) {
	conn, err := open(address)
	if err != nil {
		return nil, err
	}
	raw, err := conn.SyscallConn()
	if err == nil {
		err = prepare(raw, map[int]int{unix.SO_SNDBUFFORCE: bufferBytes})
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func open(address netip.Addr) (*net.UDPConn, error) {
	network := "udp4"
	if address.Is6() {
		network = "udp6"
	}
	conn, err := (&net.ListenConfig{}).ListenPacket(context.Background(), network, ":0")
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}

func port(conn *net.UDPConn) uint16 { return conn.LocalAddr().(*net.UDPAddr).AddrPort().Port() }

// collect notes what arrives, drains everything, and returns when all have come or reading ends.
func collect(conn *net.UDPConn, token uint64, into *arrivals) error {
	buffer := make([]byte, 65536)
	control := make([]byte, 256)
	for into.count < len(into.came) {
		n, controlLength, _, _, err := conn.ReadMsgUDPAddrPort(buffer, control)
		if err != nil {
			return err
		}
		if n < headerSize || binary.LittleEndian.Uint64(buffer) != token {
			continue
		}
		into.note(binary.LittleEndian.Uint32(buffer[8:]), int64(binary.LittleEndian.Uint64(buffer[16:])), stamp(control[:controlLength]))
	}
	return nil
}

// stamp is when the kernel got a packet, in nanoseconds of the real-time clock; now when it has not said so.
func stamp(control []byte) int64 {
	messages, err := unix.ParseSocketControlMessage(control)
	if err == nil {
		for _, message := range messages {
			if message.Header.Level == unix.SOL_SOCKET && message.Header.Type == unix.SCM_TIMESTAMPNS && len(message.Data) >= 16 {
				seconds, nanoseconds := binary.NativeEndian.Uint64(message.Data), binary.NativeEndian.Uint64(message.Data[8:])
				return int64(seconds)*int64(time.Second) + int64(nanoseconds)
			}
		}
	}
	return realTime()
}

// send writes one packet without waiting. refused is true when the kernel would not take it.
func send(conn syscall.RawConn, packet []byte, to unix.Sockaddr) (refused bool, err error) {
	var sendErr error
	err = conn.Control(func(fd uintptr) {
		binary.LittleEndian.PutUint64(packet[16:], uint64(realTime()))
		sendErr = unix.Sendto(int(fd), packet, unix.MSG_DONTWAIT, to)
	})
	if err != nil {
		return false, err
	}
	switch sendErr {
	case nil:
		return false, nil
	case unix.EPERM, unix.ENOBUFS, unix.EAGAIN:
		return true, nil
	}
	return false, sendErr
}

func socketAddress(address netip.Addr, port uint16) unix.Sockaddr {
	if address.Is6() {
		return &unix.SockaddrInet6{Port: int(port), Addr: address.As16()}
	}
	return &unix.SockaddrInet4{Port: int(port), Addr: address.As4()}
}

func realTime() int64 {
	var now unix.Timespec
	unix.ClockGettime(unix.CLOCK_REALTIME, &now)
	return now.Nano()
}
