package helper

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"subjectd/toolbox/internal/target"
)

// Found is a helper's process found by its command line alone.
type Found struct {
	PID        int
	StartTicks uint64
	Words      []string
}

// Text names what was found, without numbers that differ from run to run.
func (f Found) Text() string { return strings.Join(f.Words, " ") }

// Has tells whether the command line has this word.
func (f Found) Has(word string) bool {
	for _, each := range f.Words {
		if each == word {
			return true
		}
	}
	return false
}

// Find answers this agent's helpers, and those whose agent is gone. Another living agent's are its own affair.
func Find() ([]Found, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []Found
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		words := commandLine(pid)
		if len(words) < 2 || words[0] != Name {
			continue
		}
		stat, err := target.ReadStat(pid)
		if err != nil || stat.Ended() || others(pid) {
			continue
		}
		found = append(found, Found{PID: pid, StartTicks: stat.StartTicks, Words: words})
	}
	return found, nil
}

// Is tells whether a process is an agent's helper.
func Is(pid int) bool {
	words := commandLine(pid)
	return len(words) > 1 && words[0] == Name
}

// Kill ends exactly this process, if it is still there.
func (f Found) Kill() error {
	fd, err := unix.PidfdOpen(f.PID, 0)
	if err == unix.ESRCH {
		return nil
	}
	if err == nil {
		defer unix.Close(fd)
	}
	if stat, gone := target.ReadStat(f.PID); gone != nil || stat.StartTicks != f.StartTicks {
		return nil
	}
	if err == nil {
		err = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	} else {
		err = unix.Kill(f.PID, unix.SIGKILL)
	}
	if err == unix.ESRCH {
		return nil
	}
	return err
}

// others: the parent is another process that runs an executable like ours.
func others(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 2 {
		return true
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil || parent == os.Getpid() || parent == 0 {
		return false
	}
	own, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	theirs, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", parent))
	return own != "" && filepath.Base(own) == filepath.Base(theirs)
}

func commandLine(pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
}
