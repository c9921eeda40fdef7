//go:build kernel

package resource

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"subjectd/toolbox/internal/fail"
)

func noBallast(t *testing.T) func() bool {
	return func() bool {
		left, err := ballasts(fault, "")
		return err == nil && len(left) == 0
	}
}

func TestBallastReachesItsLevelOutsideTheGroup(t *testing.T) {
	name := container(t, "--memory", "256m", "--entrypoint", "sleep", "debian:trixie-slim", "600")
	m, node, ctx := manager(t), open(t, name), limited(t, 30*time.Second)
	before, _ := m.SnapshotNode(ctx, node)
	for range 2 {
		start := time.Now()
		facts := must(t)(m.Apply(ctx, node, request("memory.ballast", node, map[string]any{"percent": 85})))
		t.Logf("%v in %s", facts, time.Since(start))
		memory := must(t)(m.Cgroup(ctx, node, nil))["memory"].(map[string]any)
		if usage := memory["usage_bytes"].(int64); float64(usage) < 0.84*256*(1<<20) || float64(usage) > 0.90*256*(1<<20) {
			t.Errorf("usage %d", usage)
		}
	}
	during, _ := m.SnapshotNode(ctx, node)
	if during["foreign_processes"] != "0" {
		t.Errorf("in the group: %v", during)
	}
	left, err := m.Residue(ctx, node, fault)
	if err != nil || len(left) != 1 || left[0].Fault != fault || left[0].Container != node.ContainerID || !left[0].InForce {
		t.Errorf("residue %v %v", left, err)
	}
	start := time.Now()
	if err := m.Undo(ctx, node, request("memory.release", node, nil)); err != nil {
		t.Fatal(err)
	}
	t.Logf("released in %s", time.Since(start))
	if usage := must(t)(m.Cgroup(ctx, node, nil))["memory"].(map[string]any)["usage_bytes"].(int64); usage > 30<<20 {
		t.Errorf("after release %d", usage)
	}
	after, _ := m.SnapshotNode(ctx, node)
	if len(before) == 0 || len(after) != len(before) {
		t.Errorf("%v, before %v", after, before)
	}
}

func TestBallastEndsWithItsNodeAndHindersNoRemoval(t *testing.T) {
	for _, end := range [][]string{{"kill"}, {"rm", "-f"}, {"restart", "-t", "0"}} {
		name := container(t, "--memory", "512m", "--entrypoint", "sleep", "debian:trixie-slim", "600")
		m, node, ctx := manager(t), open(t, name), limited(t, 30*time.Second)
		must(t)(m.Apply(ctx, node, request("memory.ballast", node, map[string]any{"percent": 90})))
		over := make(chan time.Duration, 1)
		go func() {
			<-node.Gone()
			over <- within(t, 5*time.Second, "ballast's end", noBallast(t))
		}()
		start := time.Now()
		docker(t, append(append([]string{}, end...), name)...)
		t.Logf("docker %v: %s; ballast of 460 MB gone %s after the node", end, time.Since(start), <-over)
		if end[0] == "restart" {
			again := open(t, name)
			if usage := must(t)(m.Cgroup(ctx, again, nil))["memory"].(map[string]any)["usage_bytes"].(int64); usage > 64<<20 {
				t.Errorf("usage after the restart %d", usage)
			}
		}
		if end[0] != "rm" {
			docker(t, "rm", "-f", name)
		}
		if _, err := os.Stat("/sys/fs/cgroup/memory/docker/" + node.ContainerID); !os.IsNotExist(err) {
			t.Errorf("the memory cgroup is still there: %v", err)
		}
		if err := m.Undo(ctx, nil, request("memory.release", node, nil)); err != nil {
			t.Error(err)
		}
	}
}

func TestTheNodeAndNotTheBallastIsOutOfMemory(t *testing.T) {
	// One endless line, which tail keeps in memory, from the time that the file is there.
	name := container(t, "--memory", "128m", "--memory-swap", "128m", "--entrypoint", "sh", "debian:trixie-slim", "-c",
		"until [ -e /go ]; do sleep 0.05; done; tail /dev/zero; sleep 600")
	m, node, ctx := manager(t), open(t, name), limited(t, 30*time.Second)
	must(t)(m.Apply(ctx, node, request("memory.ballast", node, map[string]any{"percent": 80})))
	docker(t, "exec", name, "touch", "/go")
	within(t, 10*time.Second, "out of memory", func() bool {
		for _, file := range []string{"memory/docker/" + node.ContainerID + "/memory.oom_control", "docker/" + node.ContainerID + "/memory.events"} {
			if text, err := os.ReadFile("/sys/fs/cgroup/" + file); err == nil {
				return !strings.Contains(string(text), "oom_kill 0")
			}
		}
		return false
	})
	if noBallast(t)() {
		t.Error("the ballast was the victim")
	}
	if err := m.Undo(ctx, node, request("memory.release", node, nil)); err != nil {
		t.Fatal(err)
	}
}

func TestBallastNeedsALimit(t *testing.T) {
	name := container(t, "--entrypoint", "sleep", "debian:trixie-slim", "600")
	m, node, ctx := manager(t), open(t, name), limited(t, 30*time.Second)
	_, err := m.Apply(ctx, node, request("memory.ballast", node, map[string]any{"percent": 80}))
	if !fail.Is(err, "unsupported") || !strings.Contains(err.Error(), "no_memory_limit") {
		t.Error(err)
	}
}

func TestBallastEndsWithTheAgent(t *testing.T) {
	name := container(t, "--memory", "128m", "--entrypoint", "sleep", "debian:trixie-slim", "600")
	if os.Getenv("TC_AGENT") != "" {
		return
	}
	node := open(t, name)
	agent := exec.Command("/proc/self/exe", "-test.run", "TestActAsAgent")
	agent.Env = append(os.Environ(), "TC_AGENT="+name)
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	ours := func() bool {
		entries, _ := os.ReadDir("/proc")
		for _, entry := range entries {
			text, err := os.ReadFile("/proc/" + entry.Name() + "/cmdline")
			if err == nil && strings.HasPrefix(string(text), "subjectd-toolbox\x00ballast") && strings.Contains(string(text), node.ContainerID) {
				return true
			}
		}
		return false
	}
	within(t, 10*time.Second, "ballast", ours)
	time.Sleep(200 * time.Millisecond) // an agent that has settled
	if err := agent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = agent.Wait()
	t.Logf("gone %s after the agent", within(t, 2*time.Second, "ballast's end", func() bool { return !ours() }))
}

// TestActAsAgent is the agent of the test above, in a process of its own.
func TestActAsAgent(t *testing.T) {
	name := os.Getenv("TC_AGENT")
	if name == "" {
		t.Skip("only as the agent of another test")
	}
	m, node := New(t.TempDir()), open(t, name)
	must(t)(m.Apply(limited(t, 10*time.Second), node, request("memory.ballast", node, map[string]any{"percent": 80})))
	// A thread that goes away must not take the helper with it.
	if err := node.InNetNS(func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Second)
}
