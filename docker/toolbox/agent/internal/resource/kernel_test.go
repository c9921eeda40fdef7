//go:build kernel

package resource

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"subjectd/toolbox/internal/resource/helper"
	"subjectd/toolbox/internal/step"
	"subjectd/toolbox/internal/target"
)

const fault = "flt_01HZZZZZZZZZZZZZZZZZZZZZZZ"

// TestMain is also the helpers: they are this very binary.
func TestMain(m *testing.M) {
	if os.Args[0] == helper.Name {
		status, _ := Main(os.Args[1:])
		os.Exit(status)
	}
	os.Exit(m.Run())
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// container runs one of subjectd's base images and answers its name; it is removed with the test.
func container(t *testing.T, args ...string) string {
	t.Helper()
	name := fmt.Sprintf("tc-%d-%d", os.Getpid(), time.Now().UnixNano())
	t.Cleanup(func() { _ = exec.Command("docker", "rm", "-f", "-v", name).Run() })
	docker(t, append([]string{"run", "-d", "--name", name}, args...)...)
	return name
}

func open(t *testing.T, name string) *target.Target {
	t.Helper()
	id := docker(t, "inspect", "-f", "{{.Id}} {{.State.Pid}}", name)
	words := strings.Fields(id)
	pid, _ := strconv.Atoi(words[1])
	opened, err := target.OpenPID(words[0], pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	return opened
}

func request(op string, node *target.Target, members map[string]any) step.Request {
	r := step.Request{Fault: fault, Op: op, Node: "n"}
	if node != nil {
		r.ContainerID = node.ContainerID
	}
	r.Raw, _ = json.Marshal(members)
	return r
}

func limited(t *testing.T, length time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), length)
	t.Cleanup(cancel)
	return ctx
}

func manager(t *testing.T) *Manager {
	m := New(t.TempDir())
	t.Cleanup(func() {
		volumes, _ := m.volumes.List()
		for _, volume := range volumes {
			if err := m.volumes.Remove(context.Background(), volume.Volume); err != nil {
				t.Errorf("left: %v", err)
			}
		}
		if left, err := m.Residue(context.Background(), nil, fault); err != nil || len(left) > 0 {
			t.Errorf("residue at the end: %v %v", left, err)
		}
		if host, err := m.SnapshotHost(context.Background()); err != nil || len(host["loop"])+len(host["files"]) > 0 {
			t.Errorf("at the end: %v %v", host, err)
		}
	})
	return m
}

// within waits for a condition, at most this long, and answers how long it took.
func within(t *testing.T, limit time.Duration, what string, is func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for !is() {
		if time.Since(start) > limit {
			t.Fatalf("%s: not within %s", what, limit)
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(start)
}

func must(t *testing.T) func(map[string]any, error) map[string]any {
	return func(facts map[string]any, err error) map[string]any {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return facts
	}
}

func raw(members map[string]any) json.RawMessage {
	text, _ := json.Marshal(members)
	return text
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
