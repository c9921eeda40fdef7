package records

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
)

// Store has all records, in memory and as files. What it has answered without an error is on the disk.
type Store struct {
	dir     string
	aside   string
	mu      sync.Mutex
	records map[string]Record
	damaged []string
}

// Open reads every record under the data directory. A file that is not a record is moved to `damaged` beside them and named by Damaged: it must not
// keep the others from being carried out.
func Open(dataDir string) (*Store, error) {
	s := &Store{dir: filepath.Join(dataDir, "records"), aside: filepath.Join(dataDir, "damaged"), records: map[string]Record{}}
	for _, dir := range []string{s.dir, s.aside} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if err := s.load(entry.Name()); err != nil {
			return nil, err
		}
	}
	aside, err := os.ReadDir(s.aside)
	if err != nil {
		return nil, err
	}
	for _, entry := range aside {
		s.damaged = append(s.damaged, entry.Name())
	}
	return s, nil
}

func (s *Store) load(name string) error {
	path := filepath.Join(s.dir, name)
	if strings.HasSuffix(name, ".tmp") {
		return os.Remove(path) // never became a record: nobody was told that it is one
	}
	bytes, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var r Record
	if json.Unmarshal(bytes, &r) != nil || !IsFault(r.Fault) || name != r.Fault+".json" {
		return os.Rename(path, filepath.Join(s.aside, name))
	}
	s.records[r.Fault] = r
	return nil
}

// Damaged names the files that were put aside, over all starts.
func (s *Store) Damaged() []string { return append([]string{}, s.damaged...) }

// All answers copies of all records, by fault.
func (s *Store) All() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Record, 0, len(s.records))
	for _, r := range s.records {
		all = append(all, r.clone())
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Fault < all[j].Fault })
	return all
}

// Get answers a copy of one record.
func (s *Store) Get(fault string) (Record, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.records[fault]
	if !ok {
		return Record{}, false
	}
	return r.clone(), true
}

// Update changes one record durably, or removes it. `change` gets a copy, or nil when there is none, and answers what shall be there, nil for nothing. An error of
// `change` is passed on, and nothing has changed.
func (s *Store) Update(fault string, change func(r *Record) (next *Record, err error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var current *Record
	if r, ok := s.records[fault]; ok {
		c := r.clone()
		current = &c
	}
	had := current != nil
	next, err := change(current)
	if err != nil {
		return err
	}
	if next == nil {
		if !had {
			return nil
		}
		if err := s.remove(fault); err != nil {
			return err
		}
		delete(s.records, fault)
		return nil
	}
	next.Fault = fault
	if err := s.write(*next); err != nil {
		return err
	}
	s.records[fault] = next.clone()
	return nil
}

func (s *Store) write(r Record) error {
	bytes, err := json.Marshal(r)
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, r.Fault+".json")
	if err := writeSynced(path+".tmp", bytes); err != nil {
		os.Remove(path + ".tmp")
		return err
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return err
	}
	return syncDir(s.dir)
}

func (s *Store) remove(fault string) error {
	if err := os.Remove(filepath.Join(s.dir, fault+".json")); err != nil && !os.IsNotExist(err) {
		return err
	}
	return syncDir(s.dir)
}

func writeSynced(path string, bytes []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err := file.Write(bytes); err != nil {
		file.Close()
		return err
	}
	if err := file.Sync(); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("syncing %s: %w", path, err)
	}
	return nil
}
