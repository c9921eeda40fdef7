// Package owners knows which services live: the ones with an open session, and for a moment those that just lost theirs.
package owners

import (
	"sort"
	"sync"
	"time"
)

const (
	// afterEnd is the time in which a service that lost its session comes back.
	afterEnd = 5 * time.Second
	// afterStart is the time in which services come back after the agent itself was away.
	afterStart = 10 * time.Second
)

// Registry counts the sessions of each owner. Now is the boot clock.
type Registry struct {
	now     func() time.Duration
	started time.Duration
	mu      sync.Mutex
	open    map[string]int
	lastEnd map[string]time.Duration
}

// New makes a registry of an agent that starts now.
func New(now func() time.Duration) *Registry {
	return &Registry{now: now, started: now(), open: map[string]int{}, lastEnd: map[string]time.Duration{}}
}

// Begin counts a session; call what it answers when the session has ended.
func (r *Registry) Begin(owner string) func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open[owner]++
	return sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.open[owner]--; r.open[owner] == 0 {
			delete(r.open, owner)
			r.lastEnd[owner] = r.now()
		}
	})
}

// Live tells whether an owner lives. hasRecords: it has, so it may be about to come back after the agent's own start.
func (r *Registry) Live(owner string, hasRecords bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open[owner] > 0 {
		return true
	}
	now := r.now()
	if end, ok := r.lastEnd[owner]; ok && now-end < afterEnd {
		return true
	}
	return hasRecords && now-r.started < afterStart
}

// Known are the owners that have or had a session since the agent's start and are not long gone, sorted.
func (r *Registry) Known() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for owner, end := range r.lastEnd {
		if r.now()-end >= time.Hour {
			delete(r.lastEnd, owner)
		}
	}
	known := []string{}
	for owner := range r.open {
		known = append(known, owner)
	}
	for owner := range r.lastEnd {
		if r.open[owner] == 0 {
			known = append(known, owner)
		}
	}
	sort.Strings(known)
	return known
}
