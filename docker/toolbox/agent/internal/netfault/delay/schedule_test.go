package delay

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const ms = int64(time.Millisecond)

func fixed(values ...float64) func() float64 {
	i := 0
	return func() float64 { i++; return values[(i-1)%len(values)] }
}

func TestAPacketIsDueAfterItsOwnDelay(t *testing.T) {
	s := NewSchedule(50*time.Millisecond, 150*time.Millisecond, fixed(0, 0.5))
	s.Push(1, 7, 0)
	s.Push(2, 8, 10*ms)
	if due, _ := s.Next(); due != 50*ms {
		t.Fatalf("due %d", due)
	}
	if _, ok := s.Pop(50*ms - 1); ok {
		t.Fatal("too early")
	}
	if id, ok := s.Pop(50 * ms); !ok || id != 1 {
		t.Fatal("packet 1 was due")
	}
	if due, _ := s.Next(); due != 110*ms {
		t.Fatalf("due %d", due)
	}
}

func TestAFlowKeepsItsOrderAndAnotherDoesNotWaitForIt(t *testing.T) {
	s := NewSchedule(50*time.Millisecond, 150*time.Millisecond, fixed(0.99, 0, 0))
	s.Push(1, 7, 0) // due at 149
	s.Push(2, 7, 0) // would be due at 50, waits for 1
	s.Push(3, 8, 0) // another flow
	var order []uint32
	for now := int64(0); now < 200*ms; now += ms {
		for id, ok := s.Pop(now); ok; id, ok = s.Pop(now) {
			order = append(order, id)
		}
	}
	if !slices.Equal(order, []uint32{3, 1, 2}) {
		t.Fatalf("order %v", order)
	}
}

func TestNoDelayLeavesTheRangeAndNoFlowIsReordered(t *testing.T) {
	low, high := 5*time.Millisecond, 45*time.Millisecond
	s := NewSchedule(low, high, rand.New(rand.NewPCG(1, 2)).Float64)
	sent := map[uint32]int64{}
	last := map[uint32]uint32{}
	next := uint32(0)
	for now := int64(0); now < 2000*ms; now += ms / 10 {
		for id, ok := s.Pop(now); ok; id, ok = s.Pop(now) {
			if d := now - sent[id]; d < int64(low) || d > int64(high)+ms/10 {
				t.Fatalf("packet %d waited %d", id, d)
			}
			if flow := id % 3; last[flow] > id {
				t.Fatalf("flow %d: %d after %d", flow, id, last[flow])
			} else {
				last[flow] = id
			}
		}
		if now%ms == 0 && now < 1900*ms {
			next++
			sent[next] = now
			s.Push(next, uint64(next%3), now)
		}
	}
	if s.Len() != 0 || next != 1900 {
		t.Fatalf("%d held of %d", s.Len(), next)
	}
}

func TestReleaseIsInTheOrderOfArrival(t *testing.T) {
	s := NewSchedule(0, time.Second, fixed(0.9, 0.1, 0.5))
	for id := range uint32(9) {
		s.Push(id, uint64(id), int64(id))
	}
	if ids := s.Release(); !slices.Equal(ids, []uint32{0, 1, 2, 3, 4, 5, 6, 7, 8}) || s.Len() != 0 {
		t.Fatalf("released %v", ids)
	}
}

func TestFlowsThatHoldNothingAreForgotten(t *testing.T) {
	s := NewSchedule(time.Millisecond, time.Millisecond, fixed(0))
	for i := range int64(100000) {
		s.Push(uint32(i), uint64(i), i*ms)
		s.Pop(i * ms)
	}
	if len(s.last) > 2*sweepSize {
		t.Fatalf("%d flows remembered", len(s.last))
	}
}
