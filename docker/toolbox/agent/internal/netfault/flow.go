package netfault

import (
	"context"
	"encoding/json"
	"errors"
	"os"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/netfault/flows"
	"subjectd/toolbox/internal/target"
)

type backoff struct {
	Local       string `json:"local"`
	Remote      string `json:"remote"`
	Retransmits int    `json:"retransmits"`
}

// Flows answers {established, backoff}: how many TCP connections the node has with peers (null: with anybody but itself), and those that wait for a
// retransmission after a time-out.
func (m *Manager) Flows(ctx context.Context, t *target.Target, args json.RawMessage) (any, error) {
	var in struct {
		Peers []string `json:"peers"`
	}
	if err := json.Unmarshal(args, &in); err != nil {
		return nil, fail.New("bad_request", "peers: %v", err)
	}
	peers, err := addresses("peers", in.Peers)
	if err != nil {
		return nil, err
	}
	if in.Peers == nil {
		peers = nil
	}
	var list []flows.Flow
	for _, name := range []string{"tcp", "tcp6"} {
		table, err := connections(t, name)
		if err != nil {
			return nil, err
		}
		some, err := flows.Parse(table)
		if err != nil {
			return nil, fail.New("failed", "%v", err)
		}
		list = append(list, flows.With(some, peers)...)
	}
	waiting := []backoff{}
	for _, flow := range list {
		if flow.Backoff() {
			waiting = append(waiting, backoff{flow.Local.String(), flow.Remote.String(), flow.Retransmits})
		}
	}
	return map[string]any{"established": len(list), "backoff": waiting}, nil
}

// connections reads a table from inside the namespace, so that no process number has to be trusted. No such table (IPv6 is off) is an empty one.
func connections(ns namespace, name string) (string, error) {
	var table []byte
	err := ns.InNetNS(func() (err error) {
		table, err = os.ReadFile("/proc/thread-self/net/" + name)
		return err
	})
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return string(table), err
}
