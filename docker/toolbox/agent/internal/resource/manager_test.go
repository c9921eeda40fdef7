package resource

import (
	"context"
	"encoding/json"
	"testing"

	"subjectd/toolbox/internal/fail"
	"subjectd/toolbox/internal/step"
)

func TestModesAreNumbersOrOctalDigits(t *testing.T) {
	for text, want := range map[string]uint32{`448`: 0o700, `"0700"`: 0o700, `"755"`: 0o755, ``: 0o755} {
		if got, err := parseMode(json.RawMessage(text)); err != nil || got != want {
			t.Errorf("%s: %o %v", text, got, err)
		}
	}
	for _, text := range []string{`"9"`, `-1`, `{}`, `"77777"`} {
		if _, err := parseMode(json.RawMessage(text)); !fail.Is(err, "bad_request") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestAStepWithoutItsContainerIsNotApplied(t *testing.T) {
	m := New(t.TempDir())
	for _, op := range []string{"cgroup.cpu", "memory.ballast"} {
		if _, err := m.Apply(context.Background(), nil, step.Request{Op: op, Raw: json.RawMessage(`{"percent":50}`)}); !fail.Is(err, "not_running") {
			t.Errorf("%s: %v", op, err)
		}
	}
	if _, err := m.Apply(context.Background(), nil, step.Request{Op: "x"}); !fail.Is(err, "unknown_op") {
		t.Error(err)
	}
}

func TestUndoingWhatNeverWasIsNoError(t *testing.T) {
	m := New(t.TempDir())
	for op, raw := range map[string]string{
		"cgroup.restore": `{}`, "memory.release": `{}`, "disk.release": `{"volume":"v","name":".subjectd-flt_01HZZZZZZZZZZZZZZZZZZZZZZZ"}`,
	} {
		r := step.Request{Op: op, Fault: "flt_01HZZZZZZZZZZZZZZZZZZZZZZZ", ContainerID: "0123456789abcdef", Raw: json.RawMessage(raw)}
		if err := m.Undo(context.Background(), nil, r); err != nil {
			t.Errorf("%s: %v", op, err)
		}
	}
}

func TestErrorsHaveCodes(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := coded(ended, ended.Err()); !fail.Is(err, "cancelled") {
		t.Error(err)
	}
	late, stop := context.WithTimeout(context.Background(), 0)
	defer stop()
	if err := coded(late, late.Err()); !fail.Is(err, "deadline") {
		t.Error(err)
	}
	if err := coded(context.Background(), nil); err != nil {
		t.Error(err)
	}
}
