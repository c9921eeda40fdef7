package fill

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"subjectd/toolbox/internal/fail"
)

func open(t *testing.T, dir string) int {
	t.Helper()
	root, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return int(root.Fd())
}

func TestAFileOfExactlyTheseBytesComesAndGoes(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the file is root's")
	}
	dir := t.TempDir()
	root, name := open(t, dir), ".subjectd-flt_1"
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("keep"), 0o644); err != nil {
		t.Fatal(err)
	}
	// A link that the node has put there is replaced, not followed.
	if err := os.Symlink(outside, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	for _, bytes := range []int64{1<<20 + 5, 4096} {
		if err := Write(context.Background(), root, name, bytes); err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(filepath.Join(dir, name))
		if err != nil || info.Size() != bytes || info.Mode() != 0o600 {
			t.Errorf("%v %v", info, err)
		}
	}
	if text, _ := os.ReadFile(outside); string(text) != "keep" {
		t.Errorf("outside: %q", text)
	}
	for fault, want := range map[string]int{"": 1, "flt_1": 1, "flt_2": 0} {
		if got, err := List(root, fault); err != nil || len(got) != want {
			t.Errorf("%q: %v %v", fault, got, err)
		}
	}
	for range 2 {
		if err := Delete(root, name); err != nil {
			t.Fatal(err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left: %v", entries)
	}
}

func TestOtherNamesAreRefused(t *testing.T) {
	root := open(t, t.TempDir())
	for _, name := range []string{"", "data", ".subjectd-", ".subjectd-../x", "/etc/passwd", ".subjectd-a/b"} {
		if err := Delete(root, name); !fail.Is(err, "bad_request") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := Write(context.Background(), root, ".subjectd-a", 0); !fail.Is(err, "bad_request") {
		t.Error(err)
	}
}
