package watchdog

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"subjectd/toolbox/internal/boot"
	"subjectd/toolbox/internal/locks"
	"subjectd/toolbox/internal/records"
)

const fault = "flt_01M80QVY00ETA9GY6FJT2WSZ08"

type bench struct {
	*Watchdog
	mu   sync.Mutex
	done []string
	fail map[string]bool
	told chan records.Record
}

func setUp(t *testing.T, bootID string, until time.Duration) *bench {
	t.Helper()
	store, err := records.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{fail: map[string]bool{}, told: make(chan records.Record, 8)}
	b.Watchdog = &Watchdog{Store: store, Locks: &locks.Keyed{}, BootID: "this", Told: func(r records.Record) { b.told <- r },
		Undo: func(_ context.Context, step json.RawMessage) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.done = append(b.done, string(step))
			if b.fail[string(step)] {
				return errors.New("away")
			}
			return nil
		}}
	b.Init()
	undo := []json.RawMessage{json.RawMessage(`1`), json.RawMessage(`2`), json.RawMessage(`3`)}
	err = store.Update(fault, func(*records.Record) (*records.Record, error) {
		return &records.Record{Owner: "o", Until: until, BootID: bootID, Undo: undo}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { b.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	return b
}

func (b *bench) next(t *testing.T) records.Record {
	t.Helper()
	select {
	case r := <-b.told:
		return r
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was ended")
		panic("unreachable")
	}
}

func TestStepsAreUndoneInReverseOrderTwoSecondsAfterTheTimeIsUp(t *testing.T) {
	until := boot.Now() - grace + 50*time.Millisecond
	b := setUp(t, "this", until)
	r := b.next(t)
	if now := boot.Now(); now < until+grace || now > until+grace+5*time.Second {
		t.Errorf("ended %v after its time", now-until)
	}
	if !slices.Equal(b.done, []string{"3", "2", "1"}) || r.Ended.By != "watchdog" || !r.Ended.Done {
		t.Fatalf("%v %+v", b.done, r.Ended)
	}
	if kept, ok := b.Store.Get(fault); !ok || kept.Ended == nil || !kept.Ended.Done {
		t.Fatalf("%v %+v", ok, kept)
	}
}

func TestAnotherBootMeansThatTheTimeIsUp(t *testing.T) {
	if r := setUp(t, "earlier", boot.Now()+time.Hour).next(t); !r.Ended.Done {
		t.Fatalf("%+v", r.Ended)
	}
}

func TestWhatFailsIsTriedAgainAloneUntilItIsDone(t *testing.T) {
	b := setUp(t, "this", boot.Now()-grace+100*time.Millisecond)
	b.mu.Lock()
	b.fail["2"] = true
	b.mu.Unlock()
	if r := b.next(t); r.Ended.Done || len(r.Ended.Failures) != 1 || len(r.Left) != 1 {
		t.Fatalf("%+v", r)
	}
	b.mu.Lock()
	b.fail["2"] = false
	b.mu.Unlock()
	if r := b.next(t); !r.Ended.Done || len(r.Ended.Failures) != 0 {
		t.Fatalf("%+v", r)
	}
	if !slices.Equal(b.done, []string{"3", "2", "1", "2"}) {
		t.Fatalf("%v", b.done)
	}
}

func TestAFaultWhoseTimeIsNotUpIsSweptOnceWhenItsOwnerIsDead(t *testing.T) {
	b := setUp(t, "this", boot.Now()+time.Hour)
	r, did, err := b.Sweep(context.Background(), fault)
	if err != nil || !did || r.Ended.By != "sweep" || !r.Ended.Done {
		t.Fatalf("%v %v %+v", did, err, r)
	}
	if _, did, err := b.Sweep(context.Background(), fault); did || err != nil || len(b.done) != 3 {
		t.Fatalf("%v %v %v", did, err, b.done)
	}
}

func TestRetriesComeAfterOneTwoFourUpToSixtySeconds(t *testing.T) {
	got := []time.Duration{}
	for n := 1; n <= 8; n++ {
		got = append(got, retryAfter(n)/time.Second)
	}
	if !slices.Equal(got, []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}) {
		t.Fatal(got)
	}
}

func TestARecordThatNobodyAskedForIsDroppedAfterAWeek(t *testing.T) {
	b := setUp(t, "this", boot.Now()+time.Hour)
	if _, _, err := b.Sweep(context.Background(), fault); err != nil {
		t.Fatal(err)
	}
	for after, there := range map[time.Duration]bool{0: true, keptFor - time.Hour: true} {
		if err := b.DropOld(time.Now().Add(after)); err != nil {
			t.Fatal(err)
		}
		if _, ok := b.Store.Get(fault); ok != there {
			t.Fatal(after, ok)
		}
	}
	if err := b.DropOld(time.Now().Add(keptFor + time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, ok := b.Store.Get(fault); ok {
		t.Fatal("it is kept for good")
	}
}
