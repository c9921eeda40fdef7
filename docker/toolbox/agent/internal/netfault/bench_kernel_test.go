//go:build kernel

package netfault

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"subjectd/toolbox/internal/netfault/train"
	"subjectd/toolbox/internal/residue"
	"subjectd/toolbox/internal/step"
	"subjectd/toolbox/internal/target"
)

// bench is two namespaces, each held by a process of its own, and two veth pairs between them: eth0 (10.99.0.x, fd99::x) and eth1 (10.98.0.x). The far end has a
// second address on eth0, .3.
type bench struct {
	*testing.T
	m         *Manager
	near, far *target.Target
	processes map[string]*exec.Cmd
}

// probed is what each setting of mechanisms was found to be able to do: it is the same in every test.
var probed = map[string]*Capabilities{}

// keyOf names a setting of mechanisms.
func keyOf(m *Manager) string {
	var names []string
	for name := range m.without {
		names = append(names, name)
	}
	sort.Strings(names)
	return strings.Join(names, ",")
}

// precise tells whether times measured here are the mechanism's own. They are not on an emulated processor, nor where a delay queue's thread may not go before others.
var precise = sync.OnceValue(func() bool {
	if os.Getenv("NETFAULT_EMULATED") != "" {
		return false
	}
	allowed := make(chan bool)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		allowed <- unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), -15) == nil
	}()
	return <-allowed
})

// late is how much later than asked a packet may be, in µs: the bound itself where times are precise, else so much that only the structure is tested.
func late(us int64) int64 {
	if precise() {
		return us
	}
	return 10 * us
}

func newBench(t *testing.T, options ...Option) *bench {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	b := &bench{T: t, processes: map[string]*exec.Cmd{}}
	b.m = New(append([]Option{WithStateDir(t.TempDir())}, options...)...)
	b.m.known = probed[keyOf(b.m)]
	can := b.can()
	probed[keyOf(b.m)] = &can
	b.near, b.far = b.node("near"), b.node("far")
	for i, device := range []string{"eth0", "eth1"} {
		// Where both ends have one number the kernel takes up to a second to notice that the link is up.
		b.in(b.near, "ip", "link", "add", device, "index", strconv.Itoa(100+i), "type", "veth", "peer", "name", device, "netns", strconv.Itoa(b.far.PID))
		for end, node := range []*target.Target{b.near, b.far} {
			b.in(node, "ip", "addr", "add", fmt.Sprintf("10.%d.0.%d/24", 99-i, end+1), "dev", device)
			b.in(node, "ip", "-6", "addr", "add", fmt.Sprintf("fd%d::%d/64", 99-i, end+1), "dev", device, "nodad")
			b.in(node, "ip", "link", "set", device, "up")
		}
	}
	b.in(b.far, "ip", "addr", "add", "10.99.0.3/24", "dev", "eth0")
	b.in(b.far, "ip", "-6", "addr", "add", "fd99::3/64", "dev", "eth0", "nodad")
	b.settle()
	return b
}

// settle waits until all links are up (the kernel may take a second to notice) and all neighbours known.
func (b *bench) settle() {
	b.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		missing := 0
		for _, one := range b.trains(3, 1000, "10.99.0.2", "fd99::2", "10.99.0.3", "fd99::3", "10.98.0.2", "fd98::2", "<10.99.0.1", "<fd99::1") {
			missing += 3 - one.Received
		}
		if missing == 0 {
			return
		}
	}
	b.Fatal("the links do not come up")
}

func (b *bench) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	b.Cleanup(cancel)
	return ctx
}

func (b *bench) node(name string) *target.Target {
	b.Helper()
	command := exec.Command("sleep", "600")
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.processes[name] = command
	b.Cleanup(func() { command.Process.Kill(); command.Wait() })
	t, err := target.OpenPID("", command.Process.Pid)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(t.Close)
	b.in(t, "ip", "link", "set", "lo", "up")
	return t
}

func (b *bench) in(node *target.Target, name string, args ...string) string {
	b.Helper()
	out, err := run(b.ctx(), node, "", name, args...)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

func faultID(n int) string { return fmt.Sprintf("flt_%026d", n) }

func request(n int, op, members string) step.Request {
	return step.Request{Fault: faultID(n), Op: op, ContainerID: "near", Raw: json.RawMessage(members)}
}

func (b *bench) apply(n int, op, members string) map[string]any {
	b.Helper()
	result, err := b.m.Apply(b.ctx(), b.near, request(n, op, members))
	if err != nil {
		b.Fatal(err)
	}
	return result
}

func (b *bench) clear(n int) {
	b.Helper()
	if err := b.m.Undo(b.ctx(), b.near, request(n, "net.clear", "{}")); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) residue(fault string) []residue.Item {
	b.Helper()
	found, err := b.m.Residue(b.ctx(), b.near, fault)
	if err != nil {
		b.Fatal(err)
	}
	return found
}

func (b *bench) snapshot() string {
	b.Helper()
	text, err := b.m.Snapshot(b.ctx(), b.near)
	if err != nil {
		b.Fatal(err)
	}
	return text
}

// trains measures from near to each of far's addresses at once (127.0.0.1: within near); "<" before an address of near measures from far.
func (b *bench) trains(count, intervalUs int, addresses ...string) []train.Result {
	b.Helper()
	r := train.Request{Count: count, IntervalUs: intervalUs, Size: 64, WaitMs: 400}
	for _, address := range addresses {
		pair := train.Pair{Name: address, From: "near", To: "far", Address: address}
		if address == "127.0.0.1" {
			pair.To = "near"
		}
		if address[0] == '<' {
			pair = train.Pair{Name: address, From: "far", To: "near", Address: address[1:]}
		}
		r.Pairs = append(r.Pairs, pair)
	}
	return b.send(r)
}

func (b *bench) send(r train.Request) []train.Result {
	b.Helper()
	args, _ := json.Marshal(r)
	answer, err := b.m.Trains(b.ctx(), b.open, args)
	if err != nil {
		b.Fatal(err)
	}
	results := answer.(map[string]any)["pairs"].([]train.Result)
	for _, one := range results {
		if one.Error != "" {
			b.Fatalf("%s: %s", one.Name, one.Error)
		}
	}
	return results
}

func (b *bench) open(id string) (*target.Target, error) {
	return target.OpenPID("", b.processes[id].Process.Pid)
}

// need skips with the reason where this kernel lacks what the test is about.
func (b *bench) need(what string, there bool) {
	b.Helper()
	if !there {
		can, _ := b.m.Capabilities(b.ctx())
		b.Skipf("no %s here: %v", what, can.Reasons)
	}
}

func (b *bench) can() Capabilities {
	can, err := b.m.Capabilities(b.ctx())
	if err != nil {
		b.Fatal(err)
	}
	return can
}
