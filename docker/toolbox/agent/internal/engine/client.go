// Package engine has the few calls of Docker's Engine API that the agent makes.
package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"subjectd/toolbox/internal/fail"
)

// callLimit bounds one call: the engine answers these in milliseconds, or hangs. Starting a container may take longer.
const (
	callLimit  = 5 * time.Second
	startLimit = 30 * time.Second
	maxAnswer  = 16 << 20
)

var containerID = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Client talks to one engine over its unix socket, with unversioned paths: the engine's newest API. Its errors are `gone`, `engine`, or the context's.
type Client struct {
	http *http.Client
}

// New makes a client; nothing is connected yet.
func New(socket string) *Client {
	dialer := net.Dialer{Timeout: callLimit}
	return &Client{http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		},
		MaxIdleConns:    8,
		IdleConnTimeout: 30 * time.Second,
		// One socket's buffers per call that waits are all this can hold.
		MaxIdleConnsPerHost: 8,
	}}}
}

// Container is a container's state.
type Container struct {
	ID      string
	Name    string
	Running bool
	Paused  bool
	Status  string
	PID     int
}

// CheckID refuses what is not a container's full id: `bad_request`.
func CheckID(id string) error {
	if !containerID.MatchString(id) {
		return fail.New("bad_request", "%q is not a container's full id", id)
	}
	return nil
}

// Inspect answers a container's state; `gone` when there is none.
func (c *Client) Inspect(ctx context.Context, id string) (Container, error) {
	var answer struct {
		ID    string `json:"Id"`
		Name  string
		State struct {
			Status  string
			Running bool
			Paused  bool
			Pid     int
		}
	}
	if err := CheckID(id); err != nil {
		return Container{}, err
	}
	if err := c.get(ctx, "/containers/"+id+"/json", &answer); err != nil {
		return Container{}, err
	}
	s := answer.State
	return Container{ID: answer.ID, Name: strings.TrimPrefix(answer.Name, "/"), Running: s.Running, Paused: s.Paused, Status: s.Status, PID: s.Pid}, nil
}

// Running answers the ids of all running containers that carry a label.
func (c *Client) Running(ctx context.Context, label string) ([]string, error) {
	filters, err := json.Marshal(map[string][]string{"label": {label}, "status": {"running", "paused"}})
	if err != nil {
		return nil, err
	}
	var answer []struct {
		ID string `json:"Id"`
	}
	if err := c.get(ctx, "/containers/json?filters="+url.QueryEscape(string(filters)), &answer); err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(answer))
	for _, found := range answer {
		ids = append(ids, found.ID)
	}
	return ids, nil
}

// Volumes answers the names of all the engine's volumes.
func (c *Client) Volumes(ctx context.Context) (map[string]bool, error) {
	var answer struct{ Volumes []struct{ Name string } }
	if err := c.get(ctx, "/volumes", &answer); err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, volume := range answer.Volumes {
		names[volume.Name] = true
	}
	return names, nil
}

// Start starts a container; one that runs already is no error.
func (c *Client) Start(ctx context.Context, id string) error {
	return c.post(ctx, "/containers/"+id+"/start", startLimit)
}

// Unpause lets a paused container go on.
func (c *Client) Unpause(ctx context.Context, id string) error {
	return c.post(ctx, "/containers/"+id+"/unpause", callLimit)
}

func (c *Client) get(ctx context.Context, path string, into any) error {
	body, err := c.call(ctx, http.MethodGet, path, callLimit)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fail.New("engine", "%s: not the answer it should be: %v", path, err)
	}
	return nil
}

func (c *Client) post(ctx context.Context, path string, limit time.Duration) error {
	_, err := c.call(ctx, http.MethodPost, path, limit)
	return err
}

func (c *Client) call(ctx context.Context, method, path string, limit time.Duration) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	response, err := c.send(limited, method, path)
	if err != nil {
		return nil, explain(ctx, method, path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, explain(ctx, method, path, err)
	}
	switch {
	case response.StatusCode < 300 || response.StatusCode == http.StatusNotModified:
		return body, nil
	case response.StatusCode == http.StatusNotFound:
		return nil, fail.New("gone", "%s", message(body))
	default:
		return nil, fail.New("engine", "%s %s: HTTP %d: %s", method, path, response.StatusCode, message(body))
	}
}

func (c *Client) send(ctx context.Context, method, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://docker"+path, nil)
	if err != nil {
		return nil, err
	}
	return c.http.Do(request)
}

// explain tells the caller's own end apart from an engine that does not answer.
func explain(ctx context.Context, method, path string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return fail.New("engine", "%s %s: %v", method, path, err)
}

func message(body []byte) string {
	var answer struct{ Message string }
	if json.Unmarshal(body, &answer) == nil && answer.Message != "" {
		return answer.Message
	}
	return fmt.Sprintf("%.200s", body)
}
