package netfault

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"sort"
	"syscall"

	"golang.org/x/sys/unix"

	"subjectd/toolbox/internal/netfault/rules"
)

// interfaces lists every interface of the namespace but lo, sorted by name. The MAC is only given for veth: of what another kind of device does with a frame
// to itself nothing is known (ipvlan hands it to its siblings).
func interfaces(ns namespace) ([]rules.Interface, error) {
	var table []byte
	err := ns.InNetNS(func() (err error) {
		table, err = syscall.NetlinkRIB(unix.RTM_GETLINK, unix.AF_UNSPEC)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list of interfaces: %w", err)
	}
	messages, err := syscall.ParseNetlinkMessage(table)
	if err != nil {
		return nil, fmt.Errorf("list of interfaces: %w", err)
	}
	var list []rules.Interface
	for _, message := range messages {
		if message.Header.Type != unix.RTM_NEWLINK {
			continue
		}
		attributes, err := syscall.ParseNetlinkRouteAttr(&message)
		if err != nil {
			return nil, fmt.Errorf("list of interfaces: %w", err)
		}
		if one, loopback := readLink(attributes); !loopback {
			list = append(list, one)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list, nil
}

func readLink(attributes []syscall.NetlinkRouteAttr) (one rules.Interface, loopback bool) {
	var kind string
	for _, attribute := range attributes {
		switch attribute.Attr.Type &^ unix.NLA_F_NESTED {
		case unix.IFLA_IFNAME:
			one.Name = text(attribute.Value)
		case unix.IFLA_ADDRESS:
			if len(attribute.Value) == 6 {
				one.MAC = net.HardwareAddr(attribute.Value).String()
			}
		case unix.IFLA_LINKINFO:
			kind = linkKind(attribute.Value)
		}
	}
	if kind != "veth" {
		one.MAC = ""
	}
	return one, one.Name == "lo"
}

func linkKind(nested []byte) string {
	for len(nested) >= unix.SizeofRtAttr {
		length := int(binary.NativeEndian.Uint16(nested))
		if length < unix.SizeofRtAttr || length > len(nested) {
			return ""
		}
		if binary.NativeEndian.Uint16(nested[2:]) == unix.IFLA_INFO_KIND {
			return text(nested[unix.SizeofRtAttr:length])
		}
		nested = nested[min((length+3)&^3, len(nested)):]
	}
	return ""
}

func text(value []byte) string { return string(bytes.TrimRight(value, "\x00")) }

func names(list []rules.Interface) []string {
	all := make([]string, 0, len(list))
	for _, one := range list {
		all = append(all, one.Name)
	}
	return all
}
