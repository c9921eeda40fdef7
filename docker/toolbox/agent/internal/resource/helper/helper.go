// Package helper starts the agent's own binary as a process of its own, for what has to be a process: to be charged for memory, or to be given CPU time.
package helper

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"subjectd/toolbox/internal/fail"
)

// Name is the first word of every helper's command line.
const Name = "subjectd-toolbox"

// Proc is a running helper. It ends when Kill is called, and with the agent.
type Proc struct {
	PID  int
	cmd  *exec.Cmd
	in   *os.File
	out  *os.File
	text *bufio.Reader
	done chan struct{}
}

// Start runs a helper with these words: its verb, then arguments. Extra files become descriptors 3 and on.
func Start(words []string, extra ...*os.File) (*Proc, error) {
	inRead, inWrite, err := os.Pipe()
	if err != nil {
		return nil, fail.New("failed", "pipe: %v", err)
	}
	outRead, outWrite, err := os.Pipe()
	if err != nil {
		inRead.Close()
		inWrite.Close()
		return nil, fail.New("failed", "pipe: %v", err)
	}
	cmd := &exec.Cmd{
		Path:       "/proc/self/exe",
		Args:       append([]string{Name}, words...),
		Env:        []string{"GOMAXPROCS=2", "GOTRACEBACK=none"},
		Dir:        "/",
		Stdin:      inRead,
		Stdout:     outWrite,
		ExtraFiles: extra,
		// Its own process group: a terminal's Ctrl-C is for the agent, which ends its helpers itself.
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true},
	}
	err = onLastingThread(cmd.Start)
	inRead.Close()
	outWrite.Close()
	if err != nil {
		inWrite.Close()
		outRead.Close()
		return nil, fail.New("failed", "a helper cannot be started: %v", err)
	}
	p := &Proc{PID: cmd.Process.Pid, cmd: cmd, in: inWrite, out: outRead, text: bufio.NewReader(outRead), done: make(chan struct{})}
	go func() {
		// The exit status of a process that is killed says nothing.
		_ = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Done is closed when the helper has ended and is reaped.
func (p *Proc) Done() <-chan struct{} { return p.done }

// Tell writes a line to the helper.
func (p *Proc) Tell(ctx context.Context, line string) error {
	stop := bind(ctx, p.in.SetWriteDeadline)
	defer stop()
	_, err := p.in.WriteString(line + "\n")
	return p.told(ctx, err)
}

// Hear reads the helper's next line.
func (p *Proc) Hear(ctx context.Context) (string, error) {
	stop := bind(ctx, p.out.SetReadDeadline)
	defer stop()
	line, err := p.text.ReadString('\n')
	return strings.TrimSpace(line), p.told(ctx, err)
}

func (p *Proc) told(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, io.EOF), errors.Is(err, unix.EPIPE):
		return fail.New("failed", "the helper has ended by itself")
	}
	return fail.New("failed", "the helper does not answer: %v", err)
}

// bind lets a blocking read or write end with the context.
func bind(ctx context.Context, deadline func(time.Time) error) func() {
	stop := context.AfterFunc(ctx, func() { _ = deadline(time.Unix(1, 0)) })
	return func() {
		if stop() {
			_ = deadline(time.Time{})
		}
	}
}

// Kill sends the end; Reap waits for it.
func (p *Proc) Kill() { _ = p.cmd.Process.Kill() }

// Reap waits until the helper has ended, lets go of the descriptors, and answers the CPU time it had, in microseconds. At the context's end it is left to end alone.
func (p *Proc) Reap(ctx context.Context) (int64, error) {
	defer p.in.Close()
	defer p.out.Close()
	select {
	case <-p.done:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	state := p.cmd.ProcessState
	if state == nil {
		return 0, fail.New("failed", "the helper's end was not seen")
	}
	return (state.UserTime() + state.SystemTime()).Microseconds(), nil
}

// End kills the helper and waits for its end, at most five seconds.
func (p *Proc) End() {
	p.Kill()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, _ = p.Reap(ctx)
}
