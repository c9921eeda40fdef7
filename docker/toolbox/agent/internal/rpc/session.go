package rpc

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"subjectd/toolbox/internal/fail"
)

const (
	defaultLimit = 10 * time.Second
	maxLimit     = 10 * time.Minute
	writeLimit   = 10 * time.Second
	maxAtOnce    = 256
	beatEvery    = 2 * time.Second
)

// Handler answers requests. The context ends with the request's time, with its cancellation and with the session.
type Handler interface {
	Hello(args json.RawMessage) (owner string, result any, err error)
	Handle(ctx context.Context, owner, op string, args json.RawMessage) (any, error)
}

// session is one connection and what runs for it.
type session struct {
	conn    net.Conn
	handler Handler
	ctx     context.Context

	write   sync.Mutex
	mu      sync.Mutex
	owner   string
	running map[int64]context.CancelFunc
	work    sync.WaitGroup
}

// serve reads requests until the connection ends, then cancels what still runs and waits for it.
func (s *session) serve(begin func(owner string) func()) {
	ctx, cancel := context.WithCancel(s.ctx)
	s.ctx = ctx
	// The server's end, or a peer that takes no answers, must end the reading too.
	stop := context.AfterFunc(ctx, func() { s.conn.Close() })
	defer stop()
	var end func()
	defer func() {
		cancel()
		s.conn.Close()
		s.work.Wait()
		if end != nil {
			end()
		}
	}()
	reader := bufio.NewReaderSize(s.conn, 64<<10)
	for {
		line, err := readLine(reader)
		if errors.Is(err, errTooLong) {
			s.answer(nil, nil, fail.New("bad_request", "a line is longer than %d bytes; the session ends", MaxLine))
			return
		}
		if err != nil {
			return
		}
		if len(line) == 0 {
			continue
		}
		if owner := s.take(line); owner != "" && end == nil {
			end = begin(owner)
			s.mu.Lock()
			s.owner = owner
			s.mu.Unlock()
			s.work.Add(1)
			go s.beat()
		}
	}
}

// take handles one line; it answers the owner when it was a good hello.
func (s *session) take(line []byte) (owner string) {
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		s.answer(nil, nil, fail.New("bad_request", "not a request: %v", err))
		return ""
	}
	if r.Cancel != nil {
		s.cancel(*r.Cancel)
		return ""
	}
	if r.ID == nil || r.Op == "" {
		s.answer(r.ID, nil, fail.New("bad_request", "a request has an id and an op"))
		return ""
	}
	current := s.ownerName()
	if r.Op == "hello" {
		named, result, err := s.handler.Hello(r.Args)
		if err == nil && current != "" && current != named {
			err = fail.New("conflict", "this session is %s's", current)
		}
		s.answer(r.ID, result, err)
		if err != nil {
			return ""
		}
		return named
	}
	if current == "" {
		s.answer(r.ID, nil, fail.New("hello_first", "the first request of a session is hello"))
		return ""
	}
	s.start(*r.ID, current, r)
	return ""
}

// beat tells the peer that the session is alive: an engine whose container died may never tell it that the session is over.
func (s *session) beat() {
	defer s.work.Done()
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
			s.send(map[string]string{"event": "beat"})
		}
	}
}

func (s *session) start(id int64, owner string, r request) {
	limit := defaultLimit
	if r.TimeoutMs != nil {
		limit = time.Duration(min(max(*r.TimeoutMs, 1), maxLimit.Milliseconds())) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(s.ctx, limit)
	s.mu.Lock()
	_, taken := s.running[id]
	full := len(s.running) >= maxAtOnce
	if !taken && !full {
		s.running[id] = cancel
	}
	s.mu.Unlock()
	if taken || full {
		cancel()
		s.answer(&id, nil, fail.New("bad_request", "the id is in use, or more than %d requests at once", maxAtOnce))
		return
	}
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		defer cancel()
		result, err := s.handler.Handle(ctx, owner, r.Op, r.Args)
		if err != nil && ctx.Err() != nil && !isFail(err) {
			err = ctx.Err()
		}
		s.mu.Lock()
		delete(s.running, id)
		s.mu.Unlock()
		s.answer(&id, result, err)
	}()
}

func (s *session) cancel(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel := s.running[id]; cancel != nil {
		cancel()
	}
}

func (s *session) ownerName() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owner
}

func (s *session) answer(id *int64, result any, err error) {
	r := response{ID: id}
	if err != nil {
		r.Error = ToError(err)
	} else if r.Result = result; result == nil {
		r.Result = struct{}{}
	}
	if !s.send(r) {
		s.send(response{ID: id, Error: fail.New("failed", "the answer cannot be sent: longer than %d bytes, or not JSON", MaxLine)})
	}
}

// send writes one line: false when the message cannot be one. A peer that does not take it within its time loses the session.
func (s *session) send(message any) bool {
	line, err := json.Marshal(message)
	if err != nil || len(line) >= MaxLine {
		return false
	}
	s.write.Lock()
	defer s.write.Unlock()
	if err := s.conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return true // closed already
	}
	if _, err := s.conn.Write(append(line, '\n')); err != nil {
		s.conn.Close()
	}
	return true
}

func isFail(err error) bool {
	var known *fail.Error
	return errors.As(err, &known)
}

var errTooLong = errors.New("line too long")

// readLine answers the next line without its end; an unfinished last one is no line.
func readLine(reader *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		piece, err := reader.ReadSlice('\n')
		if len(line)+len(piece) > MaxLine {
			return nil, errTooLong
		}
		line = append(line, piece...)
		if err == nil {
			return line[:len(line)-1], nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			if errors.Is(err, io.EOF) {
				return nil, io.EOF
			}
			return nil, err
		}
	}
}
