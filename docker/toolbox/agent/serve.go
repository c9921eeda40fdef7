package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"subjectd/toolbox/internal/agent"
	"subjectd/toolbox/internal/boot"
	"subjectd/toolbox/internal/engine"
	"subjectd/toolbox/internal/locks"
	"subjectd/toolbox/internal/netfault"
	"subjectd/toolbox/internal/owners"
	"subjectd/toolbox/internal/records"
	"subjectd/toolbox/internal/resource"
	"subjectd/toolbox/internal/rpc"
	"subjectd/toolbox/internal/watchdog"
)

const (
	// remakeLimit keeps the start within what `connect` waits for.
	remakeLimit = 4 * time.Second
	lingerFor   = 300 * time.Millisecond
)

// endedEvent is the protocol's word to an owner whose fault was ended without it.
type endedEvent struct {
	Event string `json:"event"`
	Fault string `json:"fault"`
	By    string `json:"by"`
	Done  bool   `json:"done"`
}

// serve runs the agent until SIGTERM or SIGINT: sessions end, faults stay. It needs no reaper: in the host's PID namespace it is not the process that inherits
// orphans, and its own children are waited for by those who start them.
func serve() error {
	if os.Getpid() == 1 {
		return errors.New("the agent needs the host's PID namespace (--pid=host)")
	}
	spare()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	bootID, err := boot.ID()
	if err != nil {
		return err
	}
	build, err := ownHash()
	if err != nil {
		return err
	}
	store, err := records.Open(dataDir)
	if err != nil {
		return fmt.Errorf("records: %w", err)
	}
	for _, name := range store.Damaged() {
		slog.Error("a record was damaged and put aside: its fault is not guarded", "file", name)
	}
	dog := &watchdog.Watchdog{Store: store, Locks: &locks.Keyed{}, BootID: bootID}
	a := &agent.Agent{
		Engine: engine.New(engineSocket), Store: store, Owners: owners.New(boot.Now), Watchdog: dog,
		Network: netfault.New(), Resource: resource.New(dataDir), Build: build, BootID: bootID,
	}
	server := rpc.NewServer(a, a.Owners.Begin)
	dog.Undo = a.UndoStep
	dog.Told = func(r records.Record) { server.Notify(r.Owner, endedEvent{"ended", r.Fault, r.Ended.By, r.Ended.Done}) }
	dog.Init()

	prepare(ctx, a)
	listener, err := rpc.Listen(socketPath)
	if err != nil {
		return err
	}
	var background sync.WaitGroup
	defer background.Wait()
	for _, work := range []func(context.Context){dog.Run, a.FollowVolumes} {
		background.Add(1)
		go func() {
			defer background.Done()
			work(ctx)
		}()
	}
	slog.Info("serving", "build", build, "records", len(store.All()))
	defer stop()
	defer linger(server)
	return server.Serve(ctx, listener)
}

// linger lets the commands that joined sessions end before this process does: an engine that sees the container's end first never ends those connections.
func linger(server *rpc.Server) {
	if server.Served() {
		time.Sleep(lingerFor)
	}
}

// spare asks the kernel to end others first when memory runs out. Not every engine may ask for it; without, the restart policy has to do.
func spare() {
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte("-900"), 0); err != nil {
		slog.Info("the agent is not spared when memory runs out", "reason", err)
	}
}

// prepare puts back what lived in the agent before its restart. What fails is logged: serving comes first.
func prepare(ctx context.Context, a *agent.Agent) {
	limited, cancel := context.WithTimeout(ctx, remakeLimit)
	defer cancel()
	if err := a.Resource.Reattach(limited); err != nil {
		slog.Error("bounded volumes could not be attached again", "error", err)
	}
	a.Remake(limited)
}

// ownHash names the build by what it is made of.
func ownHash() (string, error) {
	file, err := os.Open("/proc/self/exe")
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil))[:12], nil
}
