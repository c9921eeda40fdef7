//go:build kernel

package target

import (
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"subjectd/toolbox/internal/fail"
)

func start(t *testing.T, flags uintptr) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
	if err := cmd.Start(); err != nil {
		t.Skipf("no namespaces here: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

func TestWhatIsDoneInsideHappensInThatNamespaceAlone(t *testing.T) {
	one, err := OpenPID("", start(t, syscall.CLONE_NEWNET).Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	var listener net.Listener
	for range 20 {
		err = one.InNetNS(func() error {
			found, err := net.Interfaces()
			if err == nil && (len(found) != 1 || found[0].Name != "lo") {
				t.Errorf("%v inside", found)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := one.InNetNS(func() error { listener, err = net.Listen("tcp", "127.0.0.1:0"); return err }); err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if conn, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		conn.Close()
		t.Fatal("a socket made inside is reached from outside")
	}
}

func TestATargetLetsGoOfItsNamespaceWhenItsProcessEnds(t *testing.T) {
	cmd := start(t, syscall.CLONE_NEWNET)
	one, err := OpenPID("", cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	if !one.Alive() {
		t.Fatal("not alive")
	}
	if err := one.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-one.Gone():
	case <-time.After(5 * time.Second):
		t.Fatal("its end was not seen")
	}
	if one.Alive() || one.netns != nil {
		t.Fatal("it is held on to")
	}
	if err := one.InNetNS(func() error { return nil }); !fail.Is(err, "not_running") {
		t.Fatalf("%v", err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("it was not killed")
	}
	if err := one.Signal(syscall.SIGKILL); !fail.Is(err, "not_running") {
		t.Fatalf("%v", err)
	}
}

func TestAProcessInAnothersCgroupIsRefused(t *testing.T) {
	if _, err := OpenPID("0123456789", start(t, syscall.CLONE_NEWNET).Process.Pid); !fail.Is(err, "not_running") {
		t.Fatalf("%v", err)
	}
}

func TestAProcessThatSharesTheHostsNetworkIsRefused(t *testing.T) {
	host := 1
	if _, err := os.Stat("/proc/1/ns/net"); err != nil {
		host = os.Getppid() // as hostKey does
	}
	if _, err := OpenPID("", host); !fail.Is(err, "host_namespace") {
		t.Fatalf("%v", err)
	}
}
