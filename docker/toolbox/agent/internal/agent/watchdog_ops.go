package agent

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"subjectd/toolbox/internal/boot"
	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/records"
	"subjectd/toolbox/internal/rpc"
)

const (
	maxTTL  = 7 * 24 * time.Hour
	maxUndo = 200
)

type armArgs struct {
	Fault   string            `json:"fault"`
	Subject string            `json:"subject"`
	Fence   int64             `json:"fence"`
	TTLMs   int64             `json:"ttl_ms"`
	Undo    []json.RawMessage `json:"undo"`
}

// arm keeps what undoes a fault, durably, before anything is done.
func (a *Agent) arm(ctx context.Context, owner string, raw json.RawMessage) (any, error) {
	args, err := rpc.Decode[armArgs](raw)
	if err != nil {
		return nil, err
	}
	until, err := untilOf(args.Fault, args.TTLMs)
	if err != nil {
		return nil, err
	}
	if len(args.Undo) > maxUndo {
		return nil, fail.New("bad_request", "more than %d undo steps", maxUndo)
	}
	for _, step := range args.Undo {
		if err := checkUndo(step); err != nil {
			return nil, err
		}
	}
	release, err := a.Watchdog.Locks.Shared(ctx, args.Fault)
	if err != nil {
		return nil, err
	}
	defer release()
	err = a.update(args.Fault, func(r *records.Record) (*records.Record, error) {
		next := records.Record{Owner: owner, Subject: args.Subject, Fence: args.Fence, Until: until, BootID: a.BootID, Undo: args.Undo, Applied: []records.Applied{}}
		if r != nil {
			if err := checkFence(r, args.Fence); err != nil {
				return nil, err
			}
			if r.Ended != nil && r.Fence == args.Fence {
				return nil, fail.New("conflict", "the fault was ended by the %s: disarm it, or arm it with a higher fence", r.Ended.By)
			}
			if r.Ended == nil {
				next.Applied = r.Applied
			}
		}
		return &next, nil
	})
	if err != nil {
		return nil, err
	}
	a.Watchdog.Forget(args.Fault)
	a.Watchdog.Wake()
	return nil, nil
}

func (a *Agent) renew(ctx context.Context, _ string, raw json.RawMessage) (any, error) {
	args, err := rpc.Decode[armArgs](raw)
	if err != nil {
		return nil, err
	}
	until, err := untilOf(args.Fault, args.TTLMs)
	if err != nil {
		return nil, err
	}
	// Not in the middle of its undoing: what is renewed goes on.
	release, err := a.Watchdog.Locks.Shared(ctx, args.Fault)
	if err != nil {
		return nil, err
	}
	defer release()
	err = a.update(args.Fault, func(r *records.Record) (*records.Record, error) {
		if err := armed(r, args.Fence); err != nil {
			return nil, err
		}
		r.Until, r.BootID, r.Fence = until, a.BootID, args.Fence
		return r, nil
	})
	if err != nil {
		return nil, err
	}
	a.Watchdog.Wake()
	return nil, nil
}

func (a *Agent) disarm(ctx context.Context, _ string, raw json.RawMessage) (any, error) {
	args, err := rpc.Decode[armArgs](raw)
	if err != nil {
		return nil, err
	}
	if !records.IsFault(args.Fault) {
		return nil, notAFault(args.Fault)
	}
	release, err := a.Watchdog.Locks.Exclusive(ctx, args.Fault)
	if err != nil {
		return nil, err
	}
	defer release()
	var ended *records.Ended
	err = a.update(args.Fault, func(r *records.Record) (*records.Record, error) {
		if r == nil {
			return nil, nil
		}
		ended = r.Ended
		return nil, checkFence(r, args.Fence)
	})
	if err != nil {
		return nil, err
	}
	a.Watchdog.Forget(args.Fault)
	return map[string]any{"ended": ended}, nil
}

func (a *Agent) records(context.Context, string, json.RawMessage) (any, error) {
	type entry struct {
		Fault       string         `json:"fault"`
		Owner       string         `json:"owner"`
		Subject     string         `json:"subject"`
		Fence       int64          `json:"fence"`
		RemainingMs int64          `json:"remaining_ms"`
		Ended       *records.Ended `json:"ended"`
	}
	all := []entry{}
	now := boot.Now()
	for _, r := range a.Store.All() {
		remaining := max(0, a.Watchdog.Until(r)-now)
		all = append(all, entry{r.Fault, r.Owner, r.Subject, r.Fence, remaining.Milliseconds(), r.Ended})
	}
	return map[string]any{"records": all, "damaged": a.Store.Damaged()}, nil
}

// update writes a record; a full disk has its own code, as nothing may be armed then.
func (a *Agent) update(fault string, change func(*records.Record) (*records.Record, error)) error {
	err := a.Store.Update(fault, change)
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fail.New("no_space", "the record cannot be written: %v", err)
	}
	return err
}

func untilOf(fault string, ttlMs int64) (time.Duration, error) {
	if !records.IsFault(fault) {
		return 0, notAFault(fault)
	}
	if ttlMs < 1 || ttlMs > maxTTL.Milliseconds() {
		return 0, fail.New("bad_request", "ttl_ms is 1 to %d", maxTTL.Milliseconds())
	}
	return boot.Now() + time.Duration(ttlMs)*time.Millisecond, nil
}

func notAFault(text string) error { return fail.New("bad_request", "%q is not a fault's id", text) }

func checkFence(r *records.Record, fence int64) error {
	if fence < r.Fence {
		return fail.New("stale_fence", "the record's fence is %d", r.Fence)
	}
	return nil
}

// armed: there is a record, of this fence or an earlier one, that has not ended.
func armed(r *records.Record, fence int64) error {
	if r == nil {
		return fail.New("not_armed", "there is no record of the fault")
	}
	if err := checkFence(r, fence); err != nil {
		return err
	}
	if r.Ended != nil {
		return fail.New("not_armed", "the fault was ended by the %s", r.Ended.By)
	}
	return nil
}
