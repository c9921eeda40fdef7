package netfault

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"time"

	"subjectd/toolbox/internal/fail"
)

// namespace is something whose network namespace can be entered: a target or a scratch one.
type namespace interface {
	InNetNS(func() error) error
}

// run carries out a command inside the namespace and answers what it wrote; `failed` with its last words otherwise.
func run(ctx context.Context, ns namespace, input, name string, args ...string) (string, error) {
	var out, words bytes.Buffer
	err := ns.InNetNS(func() error {
		command := exec.CommandContext(ctx, name, args...)
		command.Env = append(os.Environ(), "LC_ALL=C")
		command.Stdin = strings.NewReader(input)
		command.Stdout, command.Stderr = &out, &words
		command.WaitDelay = time.Second
		return command.Run()
	})
	if err == nil {
		return out.String(), nil
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if fail.Is(err, "not_running") {
		return "", err
	}
	last := strings.Join(strings.Fields(words.String()), " ")
	if len(last) > 400 {
		last = last[:400]
	}
	return "", fail.New("failed", "%s: %v: %s", name, err, last)
}
