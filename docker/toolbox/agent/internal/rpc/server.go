package rpc

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
)

// Server accepts sessions on a unix socket.
type Server struct {
	handler Handler
	begin   func(owner string) func()
	mu      sync.Mutex
	open    map[*session]bool
	served  bool
}

// NewServer makes a server; `begin` is told when a session has an owner and answers what to call at its end.
func NewServer(handler Handler, begin func(owner string) func()) *Server {
	return &Server{handler: handler, begin: begin, open: map[*session]bool{}}
}

// Listen makes the socket anew, for root alone.
func Listen(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	// Under another name until its mode is right.
	listener, err := net.Listen("unix", path+".new")
	if err != nil {
		return nil, err
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := os.Chmod(path+".new", 0o600); err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		listener.Close()
		return nil, err
	}
	return listener, nil
}

// Serve accepts until the context ends, then ends every session and waits for what runs in them.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	var sessions sync.WaitGroup
	defer sessions.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	for {
		conn, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		one := &session{conn: conn, handler: s.handler, ctx: ctx, running: map[int64]context.CancelFunc{}}
		s.mu.Lock()
		s.open[one] = true
		s.served = true
		s.mu.Unlock()
		sessions.Add(1)
		go func() {
			defer sessions.Done()
			defer func() {
				s.mu.Lock()
				delete(s.open, one)
				s.mu.Unlock()
			}()
			one.serve(s.begin)
		}()
	}
}

// Served tells whether there ever was a session.
func (s *Server) Served() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.served
}

// Notify sends an event to all sessions of an owner, without waiting for slow ones.
func (s *Server) Notify(owner string, event any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for one := range s.open {
		if one.ownerName() == owner {
			go one.send(event)
		}
	}
}
