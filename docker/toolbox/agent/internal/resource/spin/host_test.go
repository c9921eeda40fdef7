package spin

import "testing"

func TestIdleTimeOfTheHost(t *testing.T) {
	before, err1 := parseHost("cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 1\n")
	after, err2 := parseHost("cpu  150 0 150 750 150 0 0 0 60 0\ncpu0 1\n")
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if got := after.idleSince(before); got != 50 {
		t.Errorf("idle %v", got)
	}
	if got := after.idleSince(after); got != 0 {
		t.Errorf("no time: %v", got)
	}
	for _, text := range []string{"", "cpu 1 2", "intr 1 2 3 4 5 6 7 8 9", "cpu a b c d e f g h"} {
		if _, err := parseHost(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
