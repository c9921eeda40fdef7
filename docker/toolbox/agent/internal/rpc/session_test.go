package rpc

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"subjectd/toolbox/internal/fail"
)

type fake struct{ ended atomic.Int32 }

func (f *fake) Hello(json.RawMessage) (string, any, error) {
	return "me", map[string]int{"protocol": 1}, nil
}

func (f *fake) Handle(ctx context.Context, _, op string, args json.RawMessage) (any, error) {
	switch op {
	case "echo":
		return args, nil
	case "wait":
		<-ctx.Done()
		f.ended.Add(1)
		return nil, ctx.Err()
	case "long":
		return strings.Repeat("x", MaxLine), nil
	}
	return nil, fail.New("unknown_op", "there is no %s", op)
}

type peer struct {
	t      *testing.T
	conn   net.Conn
	reader *bufio.Reader
}

func (p *peer) send(text string) {
	p.t.Helper()
	if _, err := p.conn.Write([]byte(text + "\n")); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) want(text string) {
	p.t.Helper()
	p.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	line, err := p.reader.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, text) {
		p.t.Fatalf("%q instead of %s (%v)", line, text, err)
	}
}

func begin(t *testing.T) (*fake, *Server, func() *peer) {
	t.Helper()
	f := &fake{}
	path := filepath.Join(t.TempDir(), "s")
	listener, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(f, func(string) func() { return func() {} })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- server.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return f, server, func() *peer {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return &peer{t, conn, bufio.NewReader(conn)}
	}
}

func TestNothingIsAnsweredBeforeHello(t *testing.T) {
	_, _, dial := begin(t)
	p := dial()
	p.send(`{"id":1,"op":"echo"}`)
	p.want(`{"id":1,"error":{"code":"hello_first"`)
	p.send(`{"id":2,"op":"hello","args":{}}`)
	p.want(`{"id":2,"result":{"protocol":1}}`)
	p.send(`{"id":3,"op":"echo","args":{"a":[1]}}`)
	p.want(`{"id":3,"result":{"a":[1]}}`)
	p.send(`{"id":4,"op":"what"}`)
	p.want(`{"id":4,"error":{"code":"unknown_op"`)
	p.send(`what`)
	p.want(`{"id":null,"error":{"code":"bad_request"`)
}

func TestARequestThatWaitsHoldsUpNoOtherAndEndsWhenItIsCancelledOrLate(t *testing.T) {
	_, _, dial := begin(t)
	p := dial()
	p.send(`{"id":1,"op":"hello"}` + "\n" + `{"id":2,"op":"wait"}` + "\n" + `{"id":3,"op":"echo","args":5}`)
	p.want(`{"id":1,"result"`)
	p.want(`{"id":3,"result":5}`)
	p.send(`{"id":2,"op":"echo"}`)
	p.want(`{"id":2,"error":{"code":"bad_request"`)
	p.send(`{"cancel":2}`)
	p.want(`{"id":2,"error":{"code":"cancelled"`)
	p.send(`{"id":4,"op":"wait","timeout_ms":20}`)
	p.want(`{"id":4,"error":{"code":"deadline"`)
}

func TestWhatRunsEndsWithItsSession(t *testing.T) {
	f, _, dial := begin(t)
	p := dial()
	p.send(`{"id":1,"op":"hello"}` + "\n" + `{"id":2,"op":"wait","timeout_ms":60000}` + "\n" + `{"id":3,"op":"echo"}`)
	p.want(`{"id":1`)
	p.want(`{"id":3`)
	p.conn.Close()
	for limit := time.Now().Add(5 * time.Second); f.ended.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("it still runs")
		}
	}
}

func TestALineThatIsTooLongEndsTheSessionAndAnAnswerThatIsTooLongIsAnError(t *testing.T) {
	_, _, dial := begin(t)
	p := dial()
	p.send(`{"id":1,"op":"hello"}`)
	p.want(`{"id":1`)
	p.send(`{"id":2,"op":"long"}`)
	p.want(`{"id":2,"error":{"code":"failed"`)
	go p.conn.Write([]byte(strings.Repeat("x", MaxLine+1<<17)))
	p.want(`{"id":null,"error":{"code":"bad_request"`)
	if _, err := p.reader.ReadByte(); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the session goes on (%v)", err)
	}
}

func TestAnEventGoesToAllSessionsOfItsOwner(t *testing.T) {
	_, server, dial := begin(t)
	one, two, stranger := dial(), dial(), dial()
	for _, p := range []*peer{one, two} {
		p.send(`{"id":1,"op":"hello"}` + "\n" + `{"id":2,"op":"echo"}`)
		p.want(`{"id":1`)
		p.want(`{"id":2`)
	}
	server.Notify("me", map[string]string{"event": "ended"})
	one.want(`{"event":"ended"}`)
	two.want(`{"event":"ended"}`)
	stranger.send(`{"id":1,"op":"echo"}`)
	stranger.want(`{"id":1,"error"`)
}
