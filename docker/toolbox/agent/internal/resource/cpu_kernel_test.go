//go:build kernel

package resource

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"subjectd/toolbox/internal/fail"
)

func TestALoweredQuotaHoldsAndIsTakenBack(t *testing.T) {
	least := "0.01"
	if os.Getenv("NETFAULT_EMULATED") != "" {
		least = "0.2" // with less a container takes minutes to start on an emulated processor
	}
	for _, limit := range []string{"", "1.5", least} {
		args := []string{"--entrypoint", "sleep", "debian:trixie-slim", "600"}
		if limit != "" {
			args = append([]string{"--cpus", limit}, args...)
		}
		name := container(t, args...)
		m, node, ctx := manager(t), open(t, name), limited(t, 30*time.Second)
		before, err := m.SnapshotNode(ctx, node)
		if err != nil {
			t.Fatal(err)
		}
		plan := must(t)(m.Cgroup(ctx, node, raw(map[string]any{"cpu_percent": 80})))["cpu"].(map[string]any)
		facts := must(t)(m.Apply(ctx, node, request("cgroup.cpu", node, map[string]any{"percent": 80})))
		if facts["ours"] != plan["ours"] || facts["before"] != plan["value"] || facts["file"] != plan["file"] {
			t.Fatalf("planned %v, did %v", plan, facts)
		}
		again := must(t)(m.Apply(ctx, node, request("cgroup.cpu", node, map[string]any{"percent": 80})))
		if again["ours"] != facts["ours"] || again["before"] != facts["before"] {
			t.Fatalf("a second time: %v, first %v", again, facts)
		}
		other := must(t)(New(t.TempDir()).Apply(ctx, node, request("cgroup.cpu", node, facts)))
		if other["ours"] != facts["ours"] {
			t.Fatalf("another agent: %v", other)
		}
		if left, _ := m.Residue(ctx, node, fault); len(left) != 1 {
			t.Fatalf("residue %v", left)
		}
		undo := request("cgroup.restore", node, map[string]any{"file": facts["file"], "before": facts["before"], "ours": facts["ours"]})
		for range 2 {
			if err := m.Undo(ctx, nil, undo); err != nil {
				t.Fatal(err)
			}
		}
		after, err := m.SnapshotNode(ctx, node)
		if err != nil || len(after) != len(before) {
			t.Fatal(after, err)
		}
		for file, value := range before {
			if after[file] != value {
				t.Errorf("%s: %s, before %s", file, after[file], value)
			}
		}
		t.Logf("--cpus %q: %v", limit, facts)
		// A quota that somebody else has set meanwhile is theirs.
		must(t)(m.Apply(ctx, node, request("cgroup.cpu", node, map[string]any{"percent": 50})))
		docker(t, "update", "--cpus", "0.77", name)
		if err := m.Undo(ctx, node, request("cgroup.restore", node, map[string]any{})); err != nil {
			t.Fatal(err)
		}
		if now := must(t)(m.Cgroup(ctx, node, nil))["cpu"].(map[string]any)["allowance_cpus"]; now != 0.77 {
			t.Errorf("taken from somebody else: %v", now)
		}
		docker(t, "rm", "-f", name)
		if err := m.Undo(ctx, nil, undo); err != nil {
			t.Errorf("a container that is gone: %v", err)
		}
		if _, err := m.Apply(ctx, node, request("cgroup.cpu", node, map[string]any{"percent": 50})); !fail.Is(err, "not_running") {
			t.Errorf("a container that is gone: %v", err)
		}
	}
}

func TestSpinnersGetWhatTheQuotaLeaves(t *testing.T) {
	name := container(t, "--entrypoint", "sleep", "debian:trixie-slim", "600")
	m, node, ctx := manager(t), open(t, name), limited(t, 60*time.Second)
	must(t)(m.CPU(ctx, node, raw(map[string]any{"for_ms": 50})))
	open := descriptors(t)
	free := must(t)(m.CPU(ctx, node, raw(map[string]any{"for_ms": 500})))
	t.Logf("free: %v", free)
	for percent, share := range map[float64]float64{50: 1, 90: 0.2, 99.9: 0.002} {
		facts := must(t)(m.Apply(ctx, node, request("cgroup.cpu", node, map[string]any{"percent": percent})))
		start := time.Now()
		got := must(t)(m.CPU(ctx, node, raw(map[string]any{"for_ms": 1000})))
		t.Logf("%v %%: %v, answered after %s", percent, got, time.Since(start))
		used, bound := got["cpu_ms"].(float64), share*got["wall_ms"].(float64)
		if used > bound*1.15+25 {
			t.Errorf("%v %%: %v ms of at most %v", percent, used, bound)
		}
		// On a busy machine the spinner may get less than its quota, and is never held back then.
		if used > bound*0.9 && got["throttled"].(int64) == 0 {
			t.Errorf("%v %%: never throttled", percent)
		}
		if err := m.Undo(ctx, node, request("cgroup.restore", node, facts)); err != nil {
			t.Fatal(err)
		}
	}
	if host, _ := m.SnapshotHost(ctx); len(host["helpers"]) > 0 {
		t.Errorf("left: %v", host["helpers"])
	}
	if now := descriptors(t); now != open {
		t.Errorf("%d descriptors, before %d", now, open)
	}
	docker(t, "pause", name)
	if _, err := m.CPU(ctx, node, raw(map[string]any{"for_ms": 50})); !fail.Is(err, "conflict") {
		t.Errorf("frozen: %v", err)
	}
	docker(t, "unpause", name)
}

func TestAFrozenNodeIsSeenAndThawed(t *testing.T) {
	name := container(t, "--entrypoint", "sh", "debian:trixie-slim", "-c", "while :; do :; done")
	m, node, ctx := manager(t), open(t, name), limited(t, 30*time.Second)
	busy := must(t)(m.Frozen(ctx, node, raw(map[string]any{"for_ms": 100})))
	docker(t, "pause", name)
	still := must(t)(m.Frozen(ctx, node, raw(map[string]any{"for_ms": 100})))
	start := time.Now()
	if err := m.Thaw(ctx, node.ContainerID); err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	after := must(t)(m.Frozen(ctx, node, raw(map[string]any{"for_ms": 100})))
	if busy["frozen"] != false || still["frozen"] != true || after["frozen"] != false || still["cpu_us"] != int64(0) || after["cpu_us"].(int64) < 1000 {
		t.Errorf("busy %v, frozen %v, thawed %v", busy, still, after)
	}
	t.Logf("busy %v, frozen %v, thawed in %s %v", busy, still, took, after)
	// The engine still calls it paused; some (20.10) refuse to unpause it until it is frozen again.
	if err := exec.Command("docker", "unpause", name).Run(); err == nil {
		t.Log("this engine unpauses what is not frozen")
	} else {
		if err := m.Freeze(ctx, node.ContainerID); err != nil {
			t.Fatal(err)
		}
		docker(t, "unpause", name)
	}
	if last := must(t)(m.Frozen(ctx, node, raw(map[string]any{"for_ms": 100}))); last["frozen"] != false || last["cpu_us"].(int64) < 1000 {
		t.Errorf("unpaused %v", last)
	}
	docker(t, "rm", "-f", name)
	if err := m.Thaw(ctx, node.ContainerID); err != nil {
		t.Errorf("gone: %v", err)
	}
}

func TestVersion2sFreezerIsThawedToo(t *testing.T) {
	name := container(t, "--entrypoint", "sh", "debian:trixie-slim", "-c", "while :; do :; done")
	m, node, ctx := manager(t), open(t, name), limited(t, 30*time.Second)
	var file string
	for _, point := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		if _, err := os.Stat(point + "/docker/" + node.ContainerID + "/cgroup.freeze"); err == nil {
			file = point + "/docker/" + node.ContainerID + "/cgroup.freeze"
		}
	}
	if file == "" {
		t.Skip("no version 2 hierarchy has the container")
	}
	if err := os.WriteFile(file, []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	if err := m.Thaw(ctx, node.ContainerID); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(file); string(text) != "0\n" {
		t.Errorf("still %q", text)
	}
	if got := must(t)(m.Frozen(ctx, node, raw(map[string]any{"for_ms": 100}))); got["cpu_us"].(int64) < 1000 {
		t.Errorf("it does not run: %v", got)
	}
}
