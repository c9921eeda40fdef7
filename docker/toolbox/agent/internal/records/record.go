// Package records keeps what must be undone, durably: one file a fault.
package records

import (
	"encoding/json"
	"regexp"
	"time"
)

var faultName = regexp.MustCompile(`^flt_[0-9A-HJKMNP-TV-Z]{26}$`)

// IsFault tells whether a text is a fault's id; it is a file's name too.
func IsFault(text string) bool { return faultName.MatchString(text) }

// Record is one armed fault.
type Record struct {
	Fault   string `json:"fault"`
	Owner   string `json:"owner"`
	Subject string `json:"subject"`
	Fence   int64  `json:"fence"`
	// Until is when the fault's time is up, by the boot clock of the boot BootID.
	Until  time.Duration     `json:"until_ns"`
	BootID string            `json:"boot_id"`
	Undo   []json.RawMessage `json:"undo"`
	// Applied are the steps that were begun, as a restart of the agent has to make anew what lived in it.
	Applied []Applied `json:"applied"`
	Ended   *Ended    `json:"ended"`
	// Left are the undo steps that still fail, when Ended is not done.
	Left []json.RawMessage `json:"left,omitempty"`
}

// Applied is a step together with the very process it was done to.
type Applied struct {
	Op          string          `json:"op"`
	ContainerID string          `json:"container_id"`
	PID         int             `json:"pid"`
	StartTicks  uint64          `json:"start_ticks"`
	Step        json.RawMessage `json:"step"`
}

// Ended tells how a fault ended without its service.
type Ended struct {
	By       string   `json:"by"`
	At       string   `json:"at"`
	Done     bool     `json:"done"`
	Failures []string `json:"failures"`
}

// Same tells whether two applied steps replace each other.
func (a Applied) Same(b Applied) bool { return a.Op == b.Op && a.ContainerID == b.ContainerID }

// clone makes a copy whose lists can be changed; their elements never are.
func (r Record) clone() Record {
	r.Undo = append([]json.RawMessage{}, r.Undo...)
	r.Applied = append([]Applied{}, r.Applied...)
	r.Left = append([]json.RawMessage(nil), r.Left...)
	if r.Ended != nil {
		ended := *r.Ended
		r.Ended = &ended
	}
	return r
}
