package train

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Node is a container's process, opened.
type Node interface {
	InNetNS(func() error) error
	Gone() <-chan struct{}
}

// run is one pair under way.
type run struct {
	pair     Pair
	token    uint64
	receiver *net.UDPConn
	sender   *net.UDPConn
	raw      syscall.RawConn
	to       unix.Sockaddr
	packet   []byte
	arrivals arrivals
	done     chan struct{} // closed when the receiver has ended

	mu     sync.Mutex
	result Result
}

func (r *run) fail(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.result.Error == "" {
		r.result.Error = text
	}
}

func (r *run) failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.result.Error != ""
}

// stop ends sending and receiving; reading returns.
func (r *run) stop() {
	if r.receiver != nil {
		r.receiver.Close()
	}
	if r.sender != nil {
		r.sender.Close()
	}
}

// Run sends all trains at once and answers one result a pair, in their order. nodes has every container of the request, or why it cannot be opened. It ends when all have
// arrived, else wait_ms after the last packet was sent. A node that ends meanwhile is an error of its own pairs only. The only error of the
// whole is the context's.
func Run(ctx context.Context, request Request, nodes func(containerID string) (Node, error)) ([]Result, error) {
	runs := make([]*run, len(request.Pairs))
	ended := make(chan struct{})
	var watchers sync.WaitGroup
	for i, pair := range request.Pairs {
		r := &run{pair: pair, token: rand.Uint64(), packet: make([]byte, request.Size), done: make(chan struct{}), result: Result{Name: pair.Name}}
		r.arrivals = arrivals{delays: make([]time.Duration, request.Count), came: make([]bool, request.Count)}
		runs[i] = r
		from, to, err := ends(pair, nodes)
		if err == nil {
			err = r.open(from, to)
		}
		if err != nil {
			r.fail(err.Error())
			r.stop()
			close(r.done)
			continue
		}
		go func() {
			defer close(r.done)
			_ = collect(r.receiver, r.token, &r.arrivals) // ends by its being closed, or when all have come
		}()
		watchers.Add(1)
		go func() {
			defer watchers.Done()
			select {
			case <-from.Gone():
				r.fail("the process of " + pair.From + " ended meanwhile")
			case <-to.Gone():
				r.fail("the process of " + pair.To + " ended meanwhile")
			case <-ended:
			}
			r.stop() // sockets would keep a dead namespace
		}()
	}
	err := sendAll(ctx, request, runs)
	if err == nil {
		err = await(ctx, request, runs)
	}
	close(ended)
	watchers.Wait()
	results := make([]Result, len(runs))
	for i, r := range runs {
		<-r.done
		header := 28
		if r.pair.address.Is6() {
			header = 48
		}
		r.arrivals.fill(&r.result, request.Size+header)
		results[i] = r.result
	}
	return results, err
}

func ends(pair Pair, nodes func(string) (Node, error)) (from, to Node, err error) {
	if from, err = nodes(pair.From); err == nil {
		to, err = nodes(pair.To)
	}
	return from, to, err
}

func (r *run) open(from, to Node) error {
	err := to.InNetNS(func() (err error) {
		r.receiver, err = listen(r.pair.address)
		return err
	})
	if err != nil {
		return err
	}
	err = from.InNetNS(func() (err error) {
		r.sender, err = dial(r.pair.address)
		return err
	})
	if err != nil {
		return err
	}
	r.raw, err = r.sender.SyscallConn()
	r.to = socketAddress(r.pair.address, port(r.receiver))
	binary.LittleEndian.PutUint64(r.packet, r.token)
	return err
}

// sendAll sends one packet of every pair at each tick. Ticks are times of the clock, not distances, so that lateness does not add up.
func sendAll(ctx context.Context, request Request, runs []*run) error {
	done := make(chan error, 1)
	go func() {
		// A thread of its own, for precise sleeping; it ends with this goroutine because its timers are changed.
		runtime.LockOSThread()
		unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
		done <- func() error {
			var start unix.Timespec
			unix.ClockGettime(unix.CLOCK_MONOTONIC, &start)
			for number := range request.Count {
				if err := sleepUntil(ctx, start.Nano()+int64(number)*int64(request.interval())); err != nil {
					return err
				}
				for _, r := range runs {
					r.sendOne(uint32(number))
				}
			}
			return nil
		}()
	}()
	return <-done
}

func (r *run) sendOne(number uint32) {
	if r.failed() {
		return
	}
	binary.LittleEndian.PutUint32(r.packet[8:], number)
	refused, err := send(r.raw, r.packet, r.to)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil && r.result.Error == "":
		r.result.Error = "sending: " + err.Error()
	case refused:
		r.result.Refused++
	case err == nil:
		r.result.Sent++
	}
}

// sleepUntil waits for a time of the monotonic clock, and looks at the context at least every 100 ms.
func sleepUntil(ctx context.Context, at int64) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var now unix.Timespec
		unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
		if now.Nano() >= at {
			return nil
		}
		until := unix.NsecToTimespec(min(at, now.Nano()+int64(100*time.Millisecond)))
		if err := unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &until, nil); err != nil && err != unix.EINTR {
			return err
		}
	}
}

// await returns when every pair has all its packets or has failed, or the waiting time is over.
func await(ctx context.Context, request Request, runs []*run) error {
	timer := time.NewTimer(request.wait())
	defer timer.Stop()
	for _, r := range runs {
		select {
		case <-r.done:
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
