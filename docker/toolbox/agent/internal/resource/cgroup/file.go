package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

func read(parts ...string) (string, error) {
	text, err := os.ReadFile(filepath.Join(parts...))
	return strings.TrimSpace(string(text)), err
}

func readInt(parts ...string) (int64, error) {
	text, err := read(parts...)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}

// write never creates: in a group's directory every file is the kernel's.
func write(value string, parts ...string) error {
	file, err := os.OpenFile(filepath.Join(parts...), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(value)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}

// ParseStat reads a file of `name number` lines such as cpu.stat; other lines are left out.
func ParseStat(text string) map[string]int64 {
	stat := map[string]int64{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) != 2 {
			continue
		}
		if n, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
			stat[fields[0]] = n
		}
	}
	return stat
}

// ParseCPUs reads a list such as `0-3,8`.
func ParseCPUs(text string) ([]int, error) {
	var cpus []int
	for _, part := range strings.Split(strings.TrimSpace(text), ",") {
		low, high, is := strings.Cut(part, "-")
		if !is {
			high = low
		}
		from, err := strconv.Atoi(low)
		if err != nil {
			return nil, fmt.Errorf("cpu list %q: %w", text, err)
		}
		to, err := strconv.Atoi(high)
		if err != nil || to < from || to > 1<<16 {
			return nil, fmt.Errorf("cpu list %q", text)
		}
		for cpu := from; cpu <= to; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}

// SameFile tells whether two paths are one directory: `cpu` and `cpuacct` are often one hierarchy under two names.
func SameFile(a, b string) bool {
	first, err1 := os.Stat(a)
	second, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(first, second)
}
