package train

import (
	"slices"
	"time"
)

// Delay sums one-way delays up, in microseconds.
type Delay struct {
	Min int64 `json:"min"`
	P50 int64 `json:"p50"`
	P95 int64 `json:"p95"`
	Max int64 `json:"max"`
}

// Result is what became of one pair's train. Delays are in the order of sending, RateKbit counts whole IP packets between the first and the last arrival (nil with
// fewer than two). Error is set when the pair could not be measured (to its end); the others were.
type Result struct {
	Name     string `json:"name"`
	Sent     int    `json:"sent"`
	Received int    `json:"received"`
	Refused  int    `json:"refused"`
	// Reordered counts the packets that came after a later one.
	Reordered int     `json:"reordered"`
	Delay     *Delay  `json:"delay_us"`
	Delays    []int64 `json:"delays_us"`
	RateKbit  *int64  `json:"rate_kbit"`
	Error     string  `json:"error,omitempty"`
}

// arrivals is what a receiver has noted of each packet: its delay, negative where it has not come.
type arrivals struct {
	delays      []time.Duration
	came        []bool
	count       int
	first, last int64
	highest     uint32
	reordered   int
}

func (a *arrivals) note(number uint32, sent, received int64) {
	if int(number) >= len(a.came) || a.came[number] {
		return
	}
	a.came[number], a.delays[number] = true, time.Duration(received-sent)
	if a.count == 0 || received < a.first {
		a.first = received
	}
	a.last = max(a.last, received)
	if number < a.highest {
		a.reordered++
	}
	a.highest = max(a.highest, number)
	a.count++
}

func (a *arrivals) fill(r *Result, packetBytes int) {
	r.Received, r.Reordered = a.count, a.reordered
	r.Delays = make([]int64, 0, a.count)
	for number, came := range a.came {
		if came {
			r.Delays = append(r.Delays, a.delays[number].Microseconds())
		}
	}
	if a.count == 0 {
		return
	}
	sorted := slices.Clone(r.Delays)
	slices.Sort(sorted)
	r.Delay = &Delay{Min: sorted[0], P50: rank(sorted, 50), P95: rank(sorted, 95), Max: sorted[len(sorted)-1]}
	if elapsed := a.last - a.first; a.count > 1 && elapsed > 0 {
		rate := int64(float64(a.count-1) * float64(packetBytes) * 8 * 1e6 / float64(elapsed))
		r.RateKbit = &rate
	}
}

// rank is the nearest-rank percentile of sorted values.
func rank(sorted []int64, percent int) int64 {
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}
