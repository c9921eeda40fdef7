package ballast

import "testing"

func TestTheMachinesMemory(t *testing.T) {
	got, err := parseMachine("MemTotal:  1000 kB\nMemFree:  10 kB\nMemAvailable:  500 kB\nHugePages_Total: 3\n")
	if err != nil || got != (machine{1000 << 10, 500 << 10}) {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := parseMachine("MemTotal: 1 kB\n"); err == nil {
		t.Error("half of it was read")
	}
}
