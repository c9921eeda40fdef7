package owners

import (
	"testing"
	"time"
)

func TestAnOwnerLivesWhileOneOfItsSessionsIsOpenAndFiveSecondsLonger(t *testing.T) {
	now := time.Hour
	r := New(func() time.Duration { return now })
	first, second := r.Begin("a"), r.Begin("a")
	now += time.Minute
	first()
	first()
	now += time.Minute
	if !r.Live("a", true) {
		t.Fatal("dead with a session open")
	}
	second()
	now += afterEnd - 1
	if !r.Live("a", true) {
		t.Fatal("dead before the grace was over")
	}
	now++
	if r.Live("a", true) {
		t.Fatal("alive after the grace")
	}
	r.Begin("a")
	if !r.Live("a", true) {
		t.Fatal("dead although it came back")
	}
}

func TestAfterTheAgentsStartOwnersWithRecordsHaveTenSecondsToComeBack(t *testing.T) {
	now := time.Hour
	r := New(func() time.Duration { return now })
	now += afterStart - 1
	if !r.Live("a", true) || r.Live("b", false) {
		t.Fatal("the grace is for owners with records")
	}
	now++
	if r.Live("a", true) {
		t.Fatal("alive after the grace")
	}
}
