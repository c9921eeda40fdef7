// Package locks has locks by name that can be given up waiting for.
package locks

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

const all = 1 << 20

// Keyed is a set of locks, one a key, each shared or exclusive. A key that nobody holds or waits for takes no memory.
type Keyed struct {
	mu    sync.Mutex
	locks map[string]*entry
}

type entry struct {
	users int
	sem   *semaphore.Weighted
}

// Exclusive takes a key alone. The error is the context's; otherwise call what it answers when done.
func (k *Keyed) Exclusive(ctx context.Context, key string) (func(), error) {
	return k.take(ctx, key, all)
}

// Shared takes a key together with others who share it.
func (k *Keyed) Shared(ctx context.Context, key string) (func(), error) { return k.take(ctx, key, 1) }

func (k *Keyed) take(ctx context.Context, key string, weight int64) (func(), error) {
	k.mu.Lock()
	if k.locks == nil {
		k.locks = map[string]*entry{}
	}
	e := k.locks[key]
	if e == nil {
		e = &entry{sem: semaphore.NewWeighted(all)}
		k.locks[key] = e
	}
	e.users++
	k.mu.Unlock()
	leave := func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if e.users--; e.users == 0 {
			delete(k.locks, key)
		}
	}
	if err := e.sem.Acquire(ctx, weight); err != nil {
		leave()
		return nil, err
	}
	return func() {
		e.sem.Release(weight)
		leave()
	}, nil
}
