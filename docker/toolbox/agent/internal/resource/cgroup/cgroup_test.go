package cgroup

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"subjectd/toolbox/internal/fail"
)

const id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestOnlyTheContainersOwnGroupIsBelieved(t *testing.T) {
	for path, want := range map[string]string{
		"/docker/" + id:                                    "/docker/" + id,
		"/docker/" + id + "/init.scope":                    "/docker/" + id,
		"/system.slice/docker-" + id + ".scope":            "/system.slice/docker-" + id + ".scope",
		"/system.slice/docker-" + id + ".scope/sub":        "/system.slice/docker-" + id + ".scope",
		"/kubepods.slice/pod1/cri-containerd-" + id:        "/kubepods.slice/pod1/cri-containerd-" + id,
		"/outer/" + "ff" + id[2:] + "/docker/" + id + "/x": "/outer/ff" + id[2:] + "/docker/" + id,
		"/":            "",
		"/docker":      "",
		"/x" + id:      "",
		"/" + id + "x": "",
	} {
		got, is := Own(path, id)
		if got != want || is != (want != "") {
			t.Errorf("%s: %q %v", path, got, is)
		}
	}
}

func TestMountsAndMemberships(t *testing.T) {
	mounts := ParseMounts(`31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
33 31 0:35 /docker/x /sys/fs/cgroup/mem\040ory rw - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
`)
	if got := mounts.Of("cpuacct"); len(got) != 1 || got[0].Point != "/sys/fs/cgroup/cpu,cpuacct" {
		t.Errorf("cpuacct %v", got)
	}
	if got := mounts.Of(""); len(got) != 1 || got[0].Point != "/sys/fs/cgroup/unified" {
		t.Errorf("version 2 %v", got)
	}
	memory := mounts.Of("memory")[0]
	for path, want := range map[string]string{"/docker/x": "/sys/fs/cgroup/mem ory", "/docker/x/y": "/sys/fs/cgroup/mem ory/y", "/docker/xy": "", "/": "", "/../z": ""} {
		if got, is := memory.Dir(path); got != want || is != (want != "") {
			t.Errorf("%s: %q %v", path, got, is)
		}
	}
	member := ParseMembership("4:memory:/a\n2:cpu,cpuacct:/b:c\n1:name=systemd:/d\n0::/e\n")
	want := Membership{"memory": "/a", "cpu": "/b:c", "cpuacct": "/b:c", "name=systemd": "/d", "": "/e"}
	if !reflect.DeepEqual(member, want) {
		t.Errorf("%v", member)
	}
}

func TestALowerQuotaIsAtLeastTheKernelsSmallest(t *testing.T) {
	for _, c := range []struct {
		now       Quota
		allowance float64
		percent   float64
		want      Quota
	}{
		{Quota{noQuota, 100_000}, 2, 80, Quota{40_000, 100_000}},
		{Quota{150_000, 100_000}, 1.5, 50, Quota{75_000, 100_000}},
		{Quota{400_000, 100_000}, 2, 50, Quota{100_000, 100_000}},  // more than there are processors
		{Quota{1_000, 100_000}, 0.01, 80, Quota{1_000, 500_000}},   // a longer period makes it possible
		{Quota{1_000, 100_000}, 0.01, 99, Quota{1_000, 1_000_000}}, // as far as it goes
		{Quota{noQuota, 50_000}, 1, 99.9, Quota{1_000, 1_000_000}},
	} {
		got, err := Lower(c.now, c.allowance, c.percent)
		if err != nil || got != c.want {
			t.Errorf("%+v: %+v %v", c, got, err)
		}
	}
	for _, percent := range []float64{0, -1, 100, 101, math.NaN(), math.Inf(1)} {
		if _, err := Lower(Quota{noQuota, 100_000}, 2, percent); !fail.Is(err, "bad_request") {
			t.Errorf("%v %%: %v", percent, err)
		}
	}
	if _, err := Lower(Quota{1_000, 1_000_000}, 0.001, 50); !fail.Is(err, "unsupported") {
		t.Errorf("nothing left to take: %v", err)
	}
}

func TestQuotaTextsGoBothWays(t *testing.T) {
	for _, c := range []struct {
		quota   Quota
		version string
		text    string
	}{{Quota{noQuota, 100_000}, "v1", "-1 100000"}, {Quota{noQuota, 100_000}, "v2", "max 100000"}, {Quota{5000, 7000}, "v2", "5000 7000"}} {
		if got := c.quota.Text(c.version); got != c.text {
			t.Errorf("%+v: %q", c, got)
		}
		if got, err := ParseQuota(c.text); err != nil || got != c.quota {
			t.Errorf("%q: %+v %v", c.text, got, err)
		}
	}
	for _, text := range []string{"", "1", "a b", "1 0", "1 2 3"} {
		if _, err := ParseQuota(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestAHalfWrittenQuotaIsOurs(t *testing.T) {
	before, ours := Quota{noQuota, 100_000}, Quota{1_000, 500_000}
	for now, want := range map[Quota]bool{
		ours: true, before: false, {noQuota, 500_000}: true, {1_000, 100_000}: true, {2_000, 500_000}: false, {1_000, 50_000}: false,
	} {
		if Holds(now, before, ours) != want {
			t.Errorf("%+v: %v", now, !want)
		}
	}
}

func TestRestoreBelievesNoOtherFile(t *testing.T) {
	for _, file := range []string{"/etc/passwd", "/sys/fs/cgroup/cpu/docker/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/docker/" + id + "/memory.max",
		"/sys/fs/cgroup/cpu/docker/" + id + "/../cpu.max", "docker/" + id + "/cpu.max"} {
		if err := Restore(file, id, "1 2", "3 4"); !fail.Is(err, "bad_request") {
			t.Errorf("%s: %v", file, err)
		}
	}
	dir := filepath.Join(t.TempDir(), id)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Restore(dir+"/cpu.max", id, "1 2", "3 4"); !fail.Is(err, "bad_request") {
		t.Errorf("no cgroup file system: %v", err)
	}
	if err := Restore("/sys/fs/cgroup/gone/"+id+"/cpu.max", id, "max 100000", "1000 100000"); err != nil {
		t.Errorf("a group that is gone: %v", err)
	}
}

// group writes the files of a directory as version 2 of the kernel's interface shows them.
func group(t *testing.T, files map[string]string) Dir {
	t.Helper()
	point := t.TempDir()
	path := filepath.Join(point, "docker", id)
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(path, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Dir{Version: "v2", Path: path, Leaf: path, Point: point}
}

func TestVersion2IsReadAndWritten(t *testing.T) {
	dir := group(t, map[string]string{
		"cpu.max": "max 100000\n", "cpu.stat": "usage_usec 77\nnr_throttled 3\nthrottled_usec 4500\n", "memory.max": "268435456\n", "memory.current": "1000000\n",
		"memory.stat": "anon 5\ninactive_file 400000\n", "cgroup.events": "populated 1\nfrozen 1\n", "cgroup.freeze": "1\n", "cgroup.procs": "1\n22\n", "cpuset.cpus.effective": "0-1\n",
	})
	if err := dir.WriteQuota(Quota{40_000, 100_000}); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(dir.QuotaFile()); string(text)[:12] != "40000 100000" {
		t.Errorf("cpu.max %q", text)
	}
	memory, err := dir.ReadMemory()
	if err != nil || *memory.Limit != 256<<20 || memory.Usage != 1_000_000 || memory.WorkingSet != 600_000 {
		t.Errorf("%+v %v", memory, err)
	}
	if got, err := dir.ReadThrottled(); err != nil || got != (Throttled{3, 4500}) {
		t.Errorf("%+v %v", got, err)
	}
	if frozen, err := dir.Frozen(); err != nil || !frozen {
		t.Errorf("frozen %v %v", frozen, err)
	}
	if pids, err := dir.Processes(); err != nil || !reflect.DeepEqual(pids, []int{1, 22}) {
		t.Errorf("%v %v", pids, err)
	}
	if got := dir.Above(); len(got) != 2 || got[0] != dir.Path {
		t.Errorf("above %v", got)
	}
	owner := &Group{ID: id, mounts: Mounts{V2: []Mount{{"/", dir.Point}}}, member: Membership{"": "/docker/" + id}}
	if err := os.WriteFile(dir.QuotaFile(), []byte("40000 100000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if allowance, cpus, err := owner.Allowance(); err != nil || allowance != 0.4 || len(cpus) != 2 {
		t.Errorf("allowance %v %v %v", allowance, cpus, err)
	}
	if usage, err := owner.UsageMicros(); err != nil || usage != 77 {
		t.Errorf("usage %d %v", usage, err)
	}
	if _, err := owner.Controller("memory"); err != nil {
		t.Error(err)
	}
}

func TestNoLimit(t *testing.T) {
	for _, text := range []string{"max", "9223372036854771712"} {
		if parseLimit(text) != nil {
			t.Errorf("%s is a limit", text)
		}
	}
}

func TestCPULists(t *testing.T) {
	if got, err := ParseCPUs("0-2,5\n"); err != nil || !reflect.DeepEqual(got, []int{0, 1, 2, 5}) {
		t.Errorf("%v %v", got, err)
	}
	for _, text := range []string{"", "a", "3-1"} {
		if _, err := ParseCPUs(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
