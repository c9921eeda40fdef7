// The toolbox's agent: `serve` is what the container runs, `connect` joins a session to it. The other subcommands are helpers that the agent starts itself.
package main

import (
	"fmt"
	"os"

	"subjectd/toolbox/internal/resource"
)

const (
	socketPath   = "/run/toolbox.sock"
	dataDir      = "/var/lib/toolbox"
	engineSocket = "/var/run/docker.sock"
)

func main() {
	if status, helper := resource.Main(os.Args[1:]); helper {
		os.Exit(status)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "toolbox:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		args = []string{"serve"}
	}
	switch args[0] {
	case "serve":
		return serve()
	case "connect":
		return connect(os.Stdin, os.Stdout)
	}
	return fmt.Errorf("no subcommand %q; there are serve and connect", args[0])
}
