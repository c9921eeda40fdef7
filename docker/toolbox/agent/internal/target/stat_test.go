package target

import (
	"os"
	"testing"
)

func TestAProcessNameWithBracketsAndBlanksDoesNotShiftTheFields(t *testing.T) {
	text := "77 (a) b (c) S 1 77 77 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 123456 0 0\n"
	stat, err := ParseStat(text)
	if err != nil || stat.State != 'S' || stat.StartTicks != 123456 {
		t.Fatalf("%+v, %v", stat, err)
	}
}

func TestATextThatIsNoStatIsRefused(t *testing.T) {
	for _, text := range []string{"", "1", "1 (x) S 1 2", "1 (x) S 1 77 77 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 no 0 0"} {
		if stat, err := ParseStat(text); err == nil {
			t.Errorf("%q was read as %+v", text, stat)
		}
	}
}

func TestOwnProcessHasAStartTime(t *testing.T) {
	stat, err := ReadStat(os.Getpid())
	if err != nil || stat.StartTicks == 0 || stat.Ended() {
		t.Fatalf("%+v, %v", stat, err)
	}
}
