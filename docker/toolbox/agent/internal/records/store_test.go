package records

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

const (
	one = "flt_01M80QVY00ETA9GY6FJT2WSZ08"
	two = "flt_01M80QVY00ETA9GY6FJT2WSZ09"
)

func put(t *testing.T, s *Store, fault string, fence int64) {
	t.Helper()
	err := s.Update(fault, func(*Record) (*Record, error) {
		return &Record{Owner: "o", Fence: fence, Undo: []json.RawMessage{json.RawMessage(`{"op":"net.clear"}`)}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestARecordIsThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	put(t, open(t, dir), one, 7)
	r, ok := open(t, dir).Get(one)
	if !ok || r.Fence != 7 || r.Fault != one || string(r.Undo[0]) != `{"op":"net.clear"}` {
		t.Fatalf("%v %+v", ok, r)
	}
}

func TestARemovedRecordStaysAway(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, one, 1)
	if err := s.Update(one, func(*Record) (*Record, error) { return nil, nil }); err != nil {
		t.Fatal(err)
	}
	if all := open(t, dir).All(); len(all) != 0 {
		t.Fatalf("%+v", all)
	}
}

func TestADamagedFileIsPutAsideAndTheOthersAreRead(t *testing.T) {
	dir := t.TempDir()
	put(t, open(t, dir), one, 1)
	for name, text := range map[string]string{two + ".json": `{"fault": "fl`, "x.json": `{}`, one + ".json.tmp": `{}`} {
		if err := os.WriteFile(filepath.Join(dir, "records", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		s := open(t, dir)
		if all := s.All(); len(all) != 1 || all[0].Fault != one {
			t.Fatalf("%+v", all)
		}
		if damaged := s.Damaged(); len(damaged) != 2 {
			t.Fatalf("%v", damaged)
		}
	}
	left, err := os.ReadDir(filepath.Join(dir, "records"))
	if err != nil || len(left) != 1 {
		t.Fatalf("%v %v", left, err)
	}
}

func TestARefusedChangeChangesNothing(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, one, 1)
	refused := errors.New("no")
	err := s.Update(one, func(r *Record) (*Record, error) {
		r.Fence = 9
		r.Undo[0] = json.RawMessage(`{}`)
		return r, refused
	})
	if r, _ := s.Get(one); !errors.Is(err, refused) || r.Fence != 1 || string(r.Undo[0]) == `{}` {
		t.Fatalf("%v %+v", err, r)
	}
}

func TestOnlyAFaultsIdIsAFilesName(t *testing.T) {
	for _, text := range []string{"", "flt_", "../" + one, one + "/x", "flt_01m80qvy00eta9gy6fjt2wsz08", one + "\n"} {
		if IsFault(text) {
			t.Errorf("%q counts as a fault's id", text)
		}
	}
	if !IsFault(one) {
		t.Error("a fault's id does not")
	}
}
