// Package delay holds packets back: a queue of the kernel's (NFQUEUE) is served from this process, each packet waits its time and goes on.
package delay

import (
	"container/heap"
	"time"
)

// Schedule says which packet goes on when. Pure: time (nanoseconds of any steady clock) and chance are given to it.
//
// Every packet waits between min and max, drawn uniformly, and never goes on before an earlier one of its flow. The price of order: where a flow has
// more than one packet within max-min, its delays drift towards max; they never leave the range.
type Schedule struct {
	min, max time.Duration
	last     map[uint64]int64
	held     packets
	seq      uint64
	draw     func() float64
	sweepAt  int
}

// NewSchedule makes an empty one; draw answers numbers in [0,1).
func NewSchedule(min, max time.Duration, draw func() float64) *Schedule {
	return &Schedule{min: min, max: max, last: map[uint64]int64{}, draw: draw, sweepAt: sweepSize}
}

const sweepSize = 4096

// SetRange changes the delay of the packets that come from now on.
func (s *Schedule) SetRange(min, max time.Duration) { s.min, s.max = min, max }

// Push takes a packet that arrived at now.
func (s *Schedule) Push(id uint32, flow uint64, now int64) {
	wait := s.min
	if s.max > s.min {
		wait += time.Duration(s.draw() * float64(s.max-s.min))
	}
	due := now + int64(wait)
	if last, ok := s.last[flow]; ok && last > due {
		due = last
	}
	s.forget(now)
	s.last[flow] = due
	s.seq++
	heap.Push(&s.held, packet{due: due, seq: s.seq, id: id})
}

// forget keeps the table of flows as large as the flows that still hold something back.
func (s *Schedule) forget(now int64) {
	if len(s.last) < s.sweepAt {
		return
	}
	for flow, due := range s.last {
		if due <= now {
			delete(s.last, flow)
		}
	}
	s.sweepAt = max(sweepSize, 2*len(s.last))
}

// Next is when the next packet is due; false when none is held.
func (s *Schedule) Next() (int64, bool) {
	if len(s.held) == 0 {
		return 0, false
	}
	return s.held[0].due, true
}

// Pop takes out one packet that is due at now.
func (s *Schedule) Pop(now int64) (uint32, bool) {
	if len(s.held) == 0 || s.held[0].due > now {
		return 0, false
	}
	return heap.Pop(&s.held).(packet).id, true
}

// Release takes out everything held, in the order of arrival.
func (s *Schedule) Release() []uint32 {
	for i := range s.held {
		s.held[i].due = 0
	}
	heap.Init(&s.held)
	ids := make([]uint32, 0, len(s.held))
	for {
		id, ok := s.Pop(0)
		if !ok {
			break
		}
		ids = append(ids, id)
	}
	clear(s.last)
	return ids
}

// Len is how many packets are held.
func (s *Schedule) Len() int { return len(s.held) }

type packet struct {
	due int64
	seq uint64
	id  uint32
}

type packets []packet

func (p packets) Len() int { return len(p) }
func (p packets) Less(i, j int) bool {
	return p[i].due < p[j].due || (p[i].due == p[j].due && p[i].seq < p[j].seq)
}
func (p packets) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p *packets) Push(x any)   { *p = append(*p, x.(packet)) }
func (p *packets) Pop() any {
	old := *p
	last := old[len(old)-1]
	*p = old[:len(old)-1]
	return last
}
