package netfault

import (
	"encoding/json"
	"net/netip"
	"slices"
	"testing"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/step"
)

const id = "flt_01HZZZZZZZZZZZZZZZZZZZZZZZ"

func TestStepsOutOfRangeAreBadRequests(t *testing.T) {
	for _, bad := range [][2]string{
		{"net.delay", `{"min_ms":10,"max_ms":5}`}, {"net.delay", `{"min_ms":-1,"max_ms":5}`}, {"net.delay", `{}`}, {"net.delay", `{"min_ms":1,"max_ms":600001}`},
		{"net.delay", `{"min_ms":1,"max_ms":5,"peers":[]}`}, {"net.delay", `{"min_ms":1,"max_ms":5,"peers":["10.0.0.1; drop"]}`},
		{"net.loss", `{"percent":0}`}, {"net.loss", `{"percent":101}`}, {"net.rate", `{"rate_kbit":0}`}, {"net.drop", `{"to":[],"from":[]}`},
		{"net.drop", `{"to":["10.0.0.0/8"]}`}, {"net.else", `{}`}, {"net.delay", `x`},
	} {
		if s, err := parse(step.Request{Fault: id, Op: bad[0], Raw: json.RawMessage(bad[1])}); !fail.Is(err, "bad_request") {
			t.Errorf("%v passed: %+v %v", bad, s, err)
		}
	}
	if _, err := parse(step.Request{Fault: "x", Op: "net.rate", Raw: json.RawMessage(`{"rate_kbit":100}`)}); !fail.Is(err, "bad_request") {
		t.Error("an id that is none passed")
	}
}

func TestAddressesAreUniqueSortedAndUnmapped(t *testing.T) {
	s, err := parse(step.Request{Fault: id, Op: "net.loss", Raw: json.RawMessage(`{"percent":5,"peers":["fd00::1","10.0.0.2","::ffff:10.0.0.2"]}`)})
	want := []netip.Addr{netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fd00::1")}
	if err != nil || !slices.Equal(s.peers, want) {
		t.Fatalf("%v %v", s.peers, err)
	}
	s, err = parse(step.Request{Fault: id, Op: "net.loss", Raw: json.RawMessage(`{"percent":5,"peers":null}`)})
	if err != nil || s.peers != nil {
		t.Fatal("null is everything")
	}
	if !overlap(nil, want) || !overlap(want, want[:1]) || overlap(want[:1], want[1:]) {
		t.Fatal("overlap")
	}
}
