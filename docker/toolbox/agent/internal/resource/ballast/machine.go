package ballast

import (
	"os"
	"strconv"
	"strings"

	"subjectd/toolbox/internal/fail"
)

// machine is the whole machine's memory, in bytes.
type machine struct{ total, available int64 }

func readMachine() (machine, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return machine{}, fail.New("failed", "/proc/meminfo: %v", err)
	}
	return parseMachine(string(text))
}

func parseMachine(text string) (machine, error) {
	values := map[string]int64{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[2] == "kB" {
			if n, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
				values[fields[0]] = n << 10
			}
		}
	}
	m := machine{total: values["MemTotal:"], available: values["MemAvailable:"]}
	if m.total == 0 || m.available == 0 {
		return m, fail.New("failed", "/proc/meminfo does not tell the machine's memory")
	}
	return m, nil
}
