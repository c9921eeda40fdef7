package train

import (
	"encoding/json"
	"testing"
	"time"
)

func TestAResultCountsEachPacketOnceAndKeepsTheOrderOfSending(t *testing.T) {
	a := arrivals{delays: make([]time.Duration, 4), came: make([]bool, 4)}
	ms := int64(time.Millisecond)
	a.note(2, 20*ms, 70*ms)
	a.note(0, 0, 80*ms)
	a.note(0, 0, 90*ms) // a duplicate
	a.note(9, 0, 90*ms) // not of this train
	a.note(3, 30*ms, 90*ms)
	var r Result
	a.fill(&r, 125)
	if r.Received != 3 || r.Reordered != 1 || len(r.Delays) != 3 || r.Delays[0] != 80000 || r.Delays[1] != 50000 || r.Delays[2] != 60000 {
		t.Fatalf("%+v", r)
	}
	if *r.Delay != (Delay{50000, 60000, 80000, 80000}) {
		t.Fatalf("%+v", *r.Delay)
	}
	if *r.RateKbit != 100 { // 2 packets of 1,000 bits in 20 ms
		t.Fatalf("%d", *r.RateKbit)
	}
}

func TestNothingReceivedHasNoDelay(t *testing.T) {
	a := arrivals{delays: make([]time.Duration, 2), came: make([]bool, 2)}
	var r Result
	a.fill(&r, 100)
	text, err := json.Marshal(r)
	if err != nil || string(text) != `{"name":"","sent":0,"received":0,"refused":0,"reordered":0,"delay_us":null,"delays_us":[],"rate_kbit":null}` {
		t.Fatalf("%s %v", text, err)
	}
}

func TestRequestsOutOfRangeAreRefused(t *testing.T) {
	good := `{"pairs":[{"name":"a","from":"x","to":"y","address":"10.0.0.1"}],"count":10,"interval_us":1000,"size":64,"wait_ms":100}`
	if r, err := Parse(json.RawMessage(good)); err != nil || !r.Pairs[0].address.Is4() {
		t.Fatal(err)
	}
	for _, bad := range []string{
		`{}`, `[]`,
		`{"pairs":[{"address":"nowhere"}],"count":10,"interval_us":1000,"size":64,"wait_ms":100}`,
		`{"pairs":[{"address":"10.0.0.1"}],"count":0,"interval_us":1000,"size":64,"wait_ms":100}`,
		`{"pairs":[{"address":"10.0.0.1"}],"count":10,"interval_us":1000,"size":8,"wait_ms":100}`,
		`{"pairs":[{"address":"10.0.0.1"}],"count":1000,"interval_us":1000000,"size":64,"wait_ms":100}`,
	} {
		if _, err := Parse(json.RawMessage(bad)); err == nil {
			t.Errorf("%s passed", bad)
		}
	}
}
