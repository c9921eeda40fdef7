//go:build kernel

package resource

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"subjectd/toolbox/internal/fail"
)

func create(t *testing.T, m *Manager, name string, bytes int64) string {
	t.Helper()
	return must(t)(m.VolumeCreate(limited(t, 10*time.Second), "owner", raw(map[string]any{"volume": name, "bytes": bytes, "uid": 100, "gid": 101, "mode": "0700"})))["device"].(string)
}

func remove(t *testing.T, m *Manager, name string) {
	t.Helper()
	must(t)(m.VolumeRemove(limited(t, 10*time.Second), "owner", raw(map[string]any{"volume": name})))
}

// engineVolume makes the engine's volume on a device; it is removed with the test.
func engineVolume(t *testing.T, device string) string {
	name := fmt.Sprintf("tc-%d-%d", os.Getpid(), time.Now().UnixNano())
	docker(t, "volume", "create", "--driver", "local", "-o", "type=ext4", "-o", "device="+device, name)
	t.Cleanup(func() { _ = exec.Command("docker", "volume", "rm", name).Run() })
	return name
}

func TestVolumesAreMadeAndRemovedQuickly(t *testing.T) {
	m := manager(t)
	create(t, m, "warm", 8<<20)
	remove(t, m, "warm")
	open := descriptors(t)
	for _, bytes := range []int64{256 << 20, 4 << 30} {
		for range 5 {
			start := time.Now()
			device := create(t, m, "a", bytes)
			made := time.Since(start)
			start = time.Now()
			remove(t, m, "a")
			t.Logf("%d MiB on %s: made in %s, removed in %s", bytes>>20, device, made, time.Since(start))
		}
	}
	var all sync.WaitGroup
	start := time.Now()
	devices := make([]string, 12)
	for i := range devices {
		all.Add(1)
		go func() {
			defer all.Done()
			devices[i] = create(t, m, fmt.Sprintf("p%d", i), 256<<20)
		}()
	}
	all.Wait()
	made := time.Since(start)
	seen := map[string]bool{}
	for _, device := range devices {
		seen[device] = true
	}
	start = time.Now()
	for i := range devices {
		all.Add(1)
		go func() {
			defer all.Done()
			remove(t, m, fmt.Sprintf("p%d", i))
		}()
	}
	all.Wait()
	t.Logf("12 at once: made in %s, removed in %s: %v", made, time.Since(start), devices)
	if len(seen) != len(devices) {
		t.Error("one device twice")
	}
	if now := descriptors(t); now != open {
		t.Errorf("%d descriptors, before %d", now, open)
	}
}

func TestDataOutlivesTheNodesKilling(t *testing.T) {
	m := manager(t)
	volume := engineVolume(t, create(t, m, "etcd", 256<<20))
	name := container(t, "-v", volume+":/data", "subjectd/etcd:3.5", "--data-dir", "/data", "--listen-client-urls", "http://0.0.0.0:2379", "--advertise-client-urls", "http://127.0.0.1:2379")
	etcdctl := func(args ...string) func() bool {
		return func() bool {
			return exec.Command("docker", append([]string{"exec", name, "etcdctl", "--command-timeout=2s"}, args...)...).Run() == nil
		}
	}
	within(t, 30*time.Second, "etcd", etcdctl("put", "k", "stays"))
	for range 3 {
		docker(t, "kill", name)
		docker(t, "start", name)
		within(t, 30*time.Second, "etcd again", etcdctl("get", "k"))
		if got := docker(t, "exec", name, "etcdctl", "get", "k"); !strings.Contains(got, "stays") {
			t.Fatalf("after the kill: %q", got)
		}
	}
	if _, err := m.VolumeCreate(limited(t, 5*time.Second), "owner", raw(map[string]any{"volume": "etcd", "bytes": 256 << 20, "uid": 0, "gid": 0, "mode": 493})); !fail.Is(err, "conflict") {
		t.Errorf("made anew while mounted: %v", err)
	}
	if _, err := m.VolumeRemove(limited(t, 5*time.Second), "owner", raw(map[string]any{"volume": "etcd"})); !fail.Is(err, "conflict") {
		t.Errorf("removed while mounted: %v", err)
	}
	checkFill(t, m, name)
	docker(t, "rm", "-f", name)
	docker(t, "volume", "rm", volume)
	create(t, m, "etcd", 256<<20)
	remove(t, m, "etcd")
	remove(t, m, "etcd")
}

// checkFill fills the volume of a running node, looks at it from inside, and takes the file back after the node was killed.
func checkFill(t *testing.T, m *Manager, name string) {
	ctx := limited(t, 20*time.Second)
	usage := must(t)(m.Disk(ctx, raw(map[string]any{"volume": "etcd"})))
	bytes := usage["available_bytes"].(int64) / 2
	file := ".subjectd-" + fault
	step := request("disk.fill", nil, map[string]any{"volume": "etcd", "name": file, "bytes": bytes})
	for range 2 {
		start := time.Now()
		facts := must(t)(m.Apply(ctx, nil, step))
		t.Logf("filled in %s: %v", time.Since(start), facts)
	}
	if got := docker(t, "exec", "-u", "0", name, "stat", "-c", "%s %u %a", "/data/"+file); got != fmt.Sprintf("%d 0 600", bytes) {
		t.Errorf("from inside: %q", got)
	}
	if left, err := m.Residue(ctx, nil, fault); err != nil || len(left) != 1 || left[0].Fault != fault || left[0].Volume != "etcd" || left[0].File != file {
		t.Errorf("residue %v %v", left, err)
	}
	_, err := m.Apply(ctx, nil, request("disk.fill", nil, map[string]any{"volume": "etcd", "name": file + "x", "bytes": 1 << 30}))
	if !fail.Is(err, "no_space") {
		t.Errorf("more than there is: %v", err)
	}
	_, err = m.Apply(ctx, nil, request("disk.fill", nil, map[string]any{"volume": "other", "name": file, "bytes": 4096}))
	if !fail.Is(err, "gone") {
		t.Errorf("another's volume: %v", err)
	}
	docker(t, "kill", name)
	start := time.Now()
	if err := m.Undo(ctx, nil, request("disk.release", nil, map[string]any{"volume": "etcd", "name": file})); err != nil {
		t.Fatal(err)
	}
	t.Logf("released in %s", time.Since(start))
	if left, err := m.Residue(ctx, nil, fault); err != nil || len(left) != 0 {
		t.Errorf("residue %v %v", left, err)
	}
	docker(t, "start", name)
}

func TestARootDirectoryIsEmptyAndTheNodes(t *testing.T) {
	m := manager(t)
	volume := engineVolume(t, create(t, m, "root", 64<<20))
	name := container(t, "-v", volume+":/data", "-u", "100:101", "--entrypoint", "sleep", "debian:trixie-slim", "600")
	if got := docker(t, "exec", name, "stat", "-c", "%u:%g %a", "/data"); got != "100:101 700" {
		t.Errorf("root directory %q", got)
	}
	if got := docker(t, "exec", name, "ls", "-A", "/data"); got != "" {
		t.Errorf("in it: %q", got)
	}
	docker(t, "exec", name, "touch", "/data/x")
	docker(t, "rm", "-f", name)
	docker(t, "volume", "rm", volume)
}

func TestDevicesComeBackUnderTheirNumbers(t *testing.T) {
	m, ctx := manager(t), limited(t, 20*time.Second)
	was := create(t, m, "a", 16<<20)
	kept, _ := m.volumes.List()
	// As after a restart of the machine: no device, and a file that was being made.
	if err := m.volumes.Detach(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.dataDir+"/volumes/half.img", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := New(m.dataDir).Reattach(ctx); err != nil {
		t.Fatal(err)
	}
	now, _ := m.volumes.List()
	if now[0].Device() != was || now[0] != kept[0] {
		t.Errorf("%+v, before %+v", now, kept)
	}
	host, _ := m.SnapshotHost(ctx)
	if len(host["files"]) != 2 || len(host["loop"]) != 1 {
		t.Errorf("host %v", host)
	}
	// As after the removal of the toolbox's own volume.
	if err := os.Remove(m.dataDir + "/volumes/a.img"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(m.dataDir + "/volumes/a.json"); err != nil {
		t.Fatal(err)
	}
	if host, _ := m.SnapshotHost(ctx); len(host["loop"]) != 1 || !strings.Contains(host["loop"][0], "deleted") {
		t.Errorf("host %v", host)
	}
	if err := m.Reattach(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestCapabilitiesAreTried(t *testing.T) {
	m := manager(t)
	start := time.Now()
	got := m.Capabilities(context.Background())
	t.Logf("%v in %s", got, time.Since(start))
	if got["loop"] != true || got["cgroup"] == nil {
		t.Error(got)
	}
}

func TestAMountlessKernelsWayWorksToo(t *testing.T) {
	m := manager(t)
	create(t, m, "old", 16<<20)
	if err := m.volumes.WithNamespace(limited(t, 5*time.Second), "old", func(root int) error {
		var fs unix.Statfs_t
		return unix.Fstatfs(root, &fs)
	}); err != nil {
		t.Fatal(err)
	}
	remove(t, m, "old")
}
