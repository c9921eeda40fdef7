package target

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Stat is what the agent needs of /proc/PID/stat.
type Stat struct {
	State      byte
	StartTicks uint64
}

// Ended tells whether the process is only waiting to be reaped.
func (s Stat) Ended() bool { return s.State == 'Z' || s.State == 'X' || s.State == 'x' }

// ReadStat reads /proc/PID/stat; an error of os.ErrNotExist (or ESRCH) when there is no such process.
func ReadStat(pid int) (Stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Stat{}, err
	}
	return ParseStat(string(text))
}

// ParseStat reads the text of a stat file. The name in it may have blanks and brackets, so counting starts after the last one.
func ParseStat(text string) (Stat, error) {
	end := strings.LastIndexByte(text, ')')
	fields := strings.Fields(text[end+1:])
	if end < 0 || len(fields) < 20 {
		return Stat{}, fmt.Errorf("not a process's stat: %q", text)
	}
	ticks, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return Stat{}, fmt.Errorf("start time in a process's stat: %w", err)
	}
	return Stat{State: fields[0][0], StartTicks: ticks}, nil
}
