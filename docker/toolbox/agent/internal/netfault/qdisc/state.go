package qdisc

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// State keeps which faults the qdiscs of a namespace are made of, as qdiscs cannot carry names. One file a namespace, in a directory that survives the
// agent. It is only to be believed while our root qdisc is there: a namespace's number is used again.
type State struct{ Dir string }

// Load answers the faults kept under a namespace's key; none when there is no file or it cannot be read as such.
func (s State) Load(key string) ([]Fault, error) {
	text, err := os.ReadFile(s.file(key))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var faults []Fault
	if json.Unmarshal(text, &faults) != nil {
		return nil, nil // cut off by a crash: as if it were lost
	}
	return faults, nil
}

// Save keeps the faults, or removes the file when there are none. It is whole or unchanged.
func (s State) Save(key string, faults []Fault) error {
	if len(faults) == 0 {
		if err := os.Remove(s.file(key)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	text, err := json.Marshal(faults)
	if err != nil {
		return err
	}
	temporary := s.file(key) + ".new"
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, s.file(key))
}

// Forget removes a fault of a container that has ended from every file.
func (s State) Forget(fault, containerID string) error {
	files, err := filepath.Glob(filepath.Join(s.Dir, "*.json"))
	if err != nil {
		return err
	}
	for _, file := range files {
		key := strings.Replace(strings.TrimSuffix(filepath.Base(file), ".json"), "_", ":", 1)
		faults, err := s.Load(key)
		if err != nil {
			return err
		}
		kept := slices.DeleteFunc(slices.Clone(faults), func(f Fault) bool { return f.ID == fault && f.ContainerID == containerID })
		if len(kept) < len(faults) {
			if err := s.Save(key, kept); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s State) file(key string) string {
	return filepath.Join(s.Dir, strings.ReplaceAll(key, ":", "_")+".json")
}
