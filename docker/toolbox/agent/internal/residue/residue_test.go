package residue

import "testing"

func TestTheFaultIsInTheNameOfWhatItOwns(t *testing.T) {
	const fault = "flt_01J9Z8Q4M7C2V5B6N8K0T3W1XY"
	for _, name := range []string{
		"subjectd_" + fault,
		"-A OUTPUT -j S-01J9Z8Q4M7C2V5B6N8K0T3W1XY",
		".subjectd-fill-" + fault + "-1",
		fault,
	} {
		if found := FaultIn(name); found != fault {
			t.Errorf("%q: %q", name, found)
		}
	}
	for _, name := range []string{"", "qdisc tbf 5bd0: on eth0", "flt_short"} {
		if found := FaultIn(name); found != "" {
			t.Errorf("%q: %q", name, found)
		}
	}
}
