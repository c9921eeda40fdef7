package main

import (
	"fmt"
	"io"
	"net"
	"time"
)

const (
	socketWait  = 5 * time.Second
	socketRetry = 20 * time.Millisecond
)

// connect joins two streams with the agent's socket and ends when either side does. An agent that is just starting is waited for.
func connect(in io.Reader, out io.Writer) error {
	conn, err := dial(socketPath)
	if err != nil {
		return err
	}
	defer conn.Close()
	ended := make(chan error, 2)
	join := func(to io.Writer, from io.Reader) {
		_, err := io.Copy(to, from)
		ended <- err
	}
	go join(conn, in)
	go join(out, conn)
	return <-ended
}

func dial(path string) (net.Conn, error) {
	deadline := time.Now().Add(socketWait)
	for {
		conn, err := net.Dial("unix", path)
		if err == nil {
			return conn, nil
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("the agent does not answer: %w", err)
		}
		time.Sleep(socketRetry)
	}
}
