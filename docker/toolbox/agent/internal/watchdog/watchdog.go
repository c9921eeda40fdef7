// Package watchdog ends faults whose time is up and whose service does not.
package watchdog

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"subjectd/toolbox/internal/boot"
	"subjectd/toolbox/internal/locks"
	"subjectd/toolbox/internal/records"
)

const (
	// grace lets the service go first.
	grace = 2 * time.Second
	// stepLimit bounds one try of one undo step.
	stepLimit = 40 * time.Second
	// look bounds the sleep: Go's timers stand still while the machine sleeps, the boot clock does not.
	look = time.Second
	// keptFor is how long a record that was carried out waits for its service.
	keptFor = 7 * 24 * time.Hour
)

// Watchdog carries out the records of a store. Undo does one step; Told is called when a fault has ended, or its undoing has got to an end after all.
type Watchdog struct {
	Store  *records.Store
	Locks  *locks.Keyed // by fault: shared while a step is applied, exclusive while it is undone
	BootID string
	Undo   func(ctx context.Context, step json.RawMessage) error
	Told   func(r records.Record)

	mu    sync.Mutex
	busy  map[string]bool
	again map[string]retry
	wake  chan struct{}
}

type retry struct {
	tries int
	at    time.Duration
}

// Init makes it ready; call it before anything else.
func (w *Watchdog) Init() {
	w.busy, w.again, w.wake = map[string]bool{}, map[string]retry{}, make(chan struct{}, 1)
}

// Wake has it look at the records again: one was armed or renewed.
func (w *Watchdog) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run carries out records until the context ends, and waits then for what it is at.
func (w *Watchdog) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	for {
		now := boot.Now()
		next := time.Duration(-1)
		for _, r := range w.Store.All() {
			due, waits := w.due(r)
			switch {
			case !waits:
			case due <= now:
				if w.begin(r.Fault) {
					running.Add(1)
					go func() {
						defer running.Done()
						defer w.Wake()
						defer w.end(r.Fault)
						w.carryOut(ctx, r.Fault)
					}()
				}
			case next < 0 || due < next:
				next = due
			}
		}
		var timer <-chan time.Time
		if next >= 0 {
			timer = time.After(min(next-now, look))
		}
		select {
		case <-ctx.Done():
			return
		case <-timer:
		case <-w.wake:
		}
	}
}

// due is when a record's undoing is next; false: never.
func (w *Watchdog) due(r records.Record) (time.Duration, bool) {
	if r.Ended != nil && r.Ended.Done {
		return 0, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy[r.Fault] {
		return 0, false
	}
	if again, ok := w.again[r.Fault]; ok {
		return again.at, true
	}
	if r.Ended != nil {
		return 0, true // the agent was restarted between two tries
	}
	return w.Until(r) + grace, true
}

// Until is when a fault's time is up: long ago when the machine was restarted since.
func (w *Watchdog) Until(r records.Record) time.Duration {
	if r.BootID != w.BootID {
		return 0
	}
	return r.Until
}

func (w *Watchdog) begin(fault string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy[fault] {
		return false
	}
	w.busy[fault] = true
	return true
}

func (w *Watchdog) end(fault string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.busy, fault)
}

func (w *Watchdog) carryOut(ctx context.Context, fault string) {
	release, err := w.Locks.Exclusive(ctx, fault)
	if err != nil {
		return // the agent ends
	}
	defer release()
	r, ok := w.Store.Get(fault)
	if !ok || (r.Ended != nil && r.Ended.Done) || (r.Ended == nil && boot.Now() < w.Until(r)+grace) {
		return // disarmed or renewed meanwhile
	}
	by := "watchdog"
	if r.Ended != nil {
		by = r.Ended.By
	}
	if _, err := w.finish(ctx, r, by); err != nil && ctx.Err() == nil {
		slog.Error("a fault's end could not be recorded", "fault", fault, "error", err)
	}
}

// Sweep ends a fault of a dead owner now. It answers the record as it is then; false when there is nothing to be undone. The error is the context's or the
// store's.
func (w *Watchdog) Sweep(ctx context.Context, fault string) (records.Record, bool, error) {
	release, err := w.Locks.Exclusive(ctx, fault)
	if err != nil {
		return records.Record{}, false, err
	}
	defer release()
	r, ok := w.Store.Get(fault)
	if !ok || (r.Ended != nil && r.Ended.Done) {
		return r, false, nil
	}
	r, err = w.finish(ctx, r, "sweep")
	return r, true, err
}

// finish tries each undo step that is left once, last one first, and records what came of it. The caller holds the fault alone.
func (w *Watchdog) finish(ctx context.Context, r records.Record, by string) (records.Record, error) {
	steps := r.Undo
	if r.Ended != nil && len(r.Left) > 0 {
		steps = r.Left
	}
	left, failures := []json.RawMessage{}, []string{}
	for i := len(steps) - 1; i >= 0; i-- {
		limited, cancel := context.WithTimeout(ctx, stepLimit)
		err := w.Undo(limited, steps[i])
		cancel()
		if err != nil {
			left = append([]json.RawMessage{steps[i]}, left...)
			failures = append(failures, fmt.Sprintf("%s: %v", opOf(steps[i]), err))
		}
	}
	if err := ctx.Err(); err != nil {
		return r, err // unfinished: tried again by whoever comes next
	}
	done := len(left) == 0
	r.Ended = &records.Ended{By: by, At: time.Now().UTC().Format(time.RFC3339Nano), Done: done, Failures: failures}
	r.Left, r.Applied = left, nil
	w.schedule(r.Fault, done)
	err := w.Store.Update(r.Fault, func(*records.Record) (*records.Record, error) { return &r, nil })
	slog.Info("a fault was ended", "fault", r.Fault, "by", by, "done", done, "failures", failures)
	w.Told(r)
	return r, err
}

func (w *Watchdog) schedule(fault string, done bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if done {
		delete(w.again, fault)
		return
	}
	tries := w.again[fault].tries + 1
	w.again[fault] = retry{tries: tries, at: boot.Now() + retryAfter(tries)}
	w.Wake()
}

// Forget drops what is remembered of a fault's tries: it was disarmed or armed anew.
func (w *Watchdog) Forget(fault string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.again, fault)
}

// DropOld removes records that were carried out long ago and that no service ever asked for.
func (w *Watchdog) DropOld(now time.Time) error {
	for _, r := range w.Store.All() {
		if r.Ended == nil || !r.Ended.Done {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, r.Ended.At)
		if err != nil || now.Sub(at) < keptFor {
			continue
		}
		if err := w.Store.Update(r.Fault, func(*records.Record) (*records.Record, error) { return nil, nil }); err != nil {
			return err
		}
	}
	return nil
}

func opOf(step json.RawMessage) string {
	var s struct {
		Op   string `json:"op"`
		Node string `json:"node"`
	}
	if json.Unmarshal(step, &s) != nil {
		return "step"
	}
	return s.Op + " " + s.Node
}
