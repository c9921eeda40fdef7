// Package nodetcp has a short talk with a node over TCP from inside its own network namespace, where no fault of the network is in the way.
package nodetcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"regexp"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/step"
	"subjectd/toolbox/internal/target"
)

const maxReceived = 64 << 10

// Handler carries out node.tcp, in both directions: an undo is another talk.
type Handler struct{}

type talk struct {
	Port   uint16 `json:"port"`
	Send   string `json:"send"`
	Expect string `json:"expect"`
	Host   string `json:"host"`
}

// Apply sends and answers what came back up to where it was what was expected; `failed` when it is something else.
func (Handler) Apply(ctx context.Context, t *target.Target, r step.Request) (map[string]any, error) {
	args, expect, err := parse(r.Raw)
	if err != nil {
		return nil, err
	}
	var conn net.Conn
	err = t.InNetNS(func() error {
		// A literal address: the one socket is made on this very thread.
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(args.Host, fmt.Sprint(args.Port)))
		return err
	})
	if err != nil {
		return nil, reason(ctx, "cannot be reached", args, err)
	}
	defer conn.Close()
	// An open connection would keep the namespace of a process that has ended.
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	go func() {
		select {
		case <-t.Gone():
			conn.Close()
		case <-ctx.Done():
		}
	}()
	received, err := exchange(conn, args.Send, expect)
	if err != nil {
		return nil, reason(ctx, fmt.Sprintf("answered %q", tail(received)), args, err)
	}
	return map[string]any{"mechanism": "adapter", "received": string(received)}, nil
}

// Undo has the talk; `not_running` when there is nobody to talk to: what was said may have outlived the node, so that it cannot be called undone.
func (h Handler) Undo(ctx context.Context, t *target.Target, r step.Request) error {
	if t == nil {
		return fail.New("not_running", "the node does not run, and only it can undo this")
	}
	_, err := h.Apply(ctx, t, r)
	return err
}

func parse(raw json.RawMessage) (talk, *regexp.Regexp, error) {
	args := talk{Host: "127.0.0.1"}
	if err := json.Unmarshal(raw, &args); err != nil {
		return args, nil, fail.New("bad_request", "node.tcp: %v", err)
	}
	if _, err := netip.ParseAddr(args.Host); err != nil || args.Port == 0 {
		return args, nil, fail.New("bad_request", "node.tcp: host is an address and port a number")
	}
	expect, err := regexp.Compile(args.Expect)
	if err != nil {
		return args, nil, fail.New("bad_request", "node.tcp: expect: %v", err)
	}
	return args, expect, nil
}

// exchange reads until the expression matches what has come.
func exchange(conn io.ReadWriter, send string, expect *regexp.Regexp) ([]byte, error) {
	if _, err := io.WriteString(conn, send); err != nil {
		return nil, err
	}
	received, piece := []byte{}, make([]byte, 4096)
	for {
		if len(received) > 0 && expect.Match(received) {
			return received, nil
		}
		if len(received) >= maxReceived {
			return received, errors.New("too much, and not what was expected")
		}
		n, err := conn.Read(piece)
		received = append(received, piece[:n]...)
		if err != nil && !(n > 0 && expect.Match(received)) {
			return received, err
		}
	}
}

func reason(ctx context.Context, what string, args talk, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fail.New("deadline", "port %d %s", args.Port, what)
	}
	return fail.New("failed", "port %d %s: %v", args.Port, what, err)
}

func tail(text []byte) []byte { return bytes.TrimSpace(text[max(0, len(text)-200):]) }
