package spin

import (
	"os"
	"strconv"
	"strings"

	"subjectd/toolbox/internal/fail"
)

// host is the machine's CPU time since its start, in ticks.
type host struct{ idle, total int64 }

func readHost() (host, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return host{}, fail.New("failed", "/proc/stat: %v", err)
	}
	return parseHost(string(text))
}

// parseHost reads the first line of /proc/stat. Waiting for a disk (iowait) is idle. Guest time is in user time already.
func parseHost(text string) (host, error) {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return host{}, fail.New("failed", "/proc/stat begins with %q", line)
	}
	var h host
	for i, field := range fields[1:9] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return host{}, fail.New("failed", "/proc/stat: %v", err)
		}
		h.total += n
		if i == 3 || i == 4 {
			h.idle += n
		}
	}
	return h, nil
}

func (h host) idleSince(before host) float64 {
	if h.total <= before.total {
		return 0
	}
	return 100 * float64(h.idle-before.idle) / float64(h.total-before.total)
}
