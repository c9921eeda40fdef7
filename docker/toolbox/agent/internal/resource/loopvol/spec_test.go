package loopvol

import (
	"context"
	"testing"

	"subjectd/toolbox/internal/fail"
)

func TestBadVolumesAreRefused(t *testing.T) {
	good := Spec{Volume: "tikv_tikv0-data", Bytes: 256 << 20, UID: 100, GID: 101, Mode: 0o700}
	if err := good.check(); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*Spec){
		"name": func(s *Spec) { s.Volume = "../x" }, "no name": func(s *Spec) { s.Volume = "" }, "hidden": func(s *Spec) { s.Volume = ".x" },
		"small": func(s *Spec) { s.Bytes = 4096 }, "uneven": func(s *Spec) { s.Bytes++ }, "large": func(s *Spec) { s.Bytes = 1 << 60 },
		"uid": func(s *Spec) { s.UID = -1 }, "gid": func(s *Spec) { s.GID = -1 }, "mode": func(s *Spec) { s.Mode = 0o10000 },
	} {
		spec := good
		change(&spec)
		if _, err := New(t.TempDir()).Create(context.Background(), spec); !fail.Is(err, "bad_request") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestWhatIsNotThereIsRemovedAndNotMounted(t *testing.T) {
	store := New(t.TempDir())
	if err := store.Remove(context.Background(), "none"); err != nil {
		t.Error(err)
	}
	if err := store.With(context.Background(), "none", func(int) error { return nil }); !fail.Is(err, "gone") {
		t.Error(err)
	}
	if list, err := store.List(); err != nil || len(list) != 0 {
		t.Errorf("%v %v", list, err)
	}
	if (Volume{Number: -1}).Device() != "" || (Volume{Number: 7}).Device() != "/dev/loop7" {
		t.Error("device's name")
	}
}
