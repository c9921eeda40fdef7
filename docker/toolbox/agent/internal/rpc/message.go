// Package rpc serves the protocol's sessions: JSON lines over a unix socket.
package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"os"

	"subjectd/toolbox/internal/fail"
)

// MaxLine bounds a line in both directions, its end included.
const MaxLine = 1 << 20

type request struct {
	ID        *int64          `json:"id"`
	Op        string          `json:"op"`
	Args      json.RawMessage `json:"args"`
	TimeoutMs *int64          `json:"timeout_ms"`
	Cancel    *int64          `json:"cancel"`
}

type response struct {
	ID     *int64      `json:"id"`
	Result any         `json:"result,omitempty"`
	Error  *fail.Error `json:"error,omitempty"`
}

// ToError makes the protocol's error of any error.
func ToError(err error) *fail.Error {
	var known *fail.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.Canceled):
		return fail.New("cancelled", "the request was cancelled")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return fail.New("deadline", "not done within the request's time")
	default:
		return fail.New("failed", "%v", err)
	}
}

// Decode reads arguments into a struct: `bad_request` when they have another shape. Members that are not known are let pass, so that a newer service can
// talk to an older agent.
func Decode[T any](args json.RawMessage) (T, error) {
	var into T
	if len(args) == 0 {
		args = json.RawMessage("{}")
	}
	if err := json.Unmarshal(args, &into); err != nil {
		return into, fail.New("bad_request", "arguments: %v", err)
	}
	return into, nil
}
