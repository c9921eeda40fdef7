package engine

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"subjectd/toolbox/internal/fail"
)

// VolumeDestroyed is a volume that the engine has removed, and when, by the host's clock.
type VolumeDestroyed struct {
	Name string
	At   time.Time
}

// VolumeEvents calls `destroyed` for each volume removed from now on, and `connected` once when nothing can be missed any more. It returns only when the
// stream has broken, with the reason.
func (c *Client) VolumeEvents(ctx context.Context, connected func(), destroyed func(VolumeDestroyed)) error {
	filters := `{"type":["volume"],"event":["destroy"]}`
	path := "/events?filters=" + url.QueryEscape(filters)
	response, err := c.send(ctx, http.MethodGet, path)
	if err != nil {
		return explain(ctx, http.MethodGet, "/events", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fail.New("engine", "GET /events: HTTP %d", response.StatusCode)
	}
	connected()
	stream := json.NewDecoder(response.Body)
	for {
		var event struct {
			Action   string
			Actor    struct{ ID string }
			TimeNano int64 `json:"timeNano"`
		}
		if err := stream.Decode(&event); err != nil {
			return explain(ctx, http.MethodGet, "/events", err)
		}
		if event.Action == "destroy" && event.Actor.ID != "" {
			destroyed(VolumeDestroyed{Name: event.Actor.ID, At: time.Unix(0, event.TimeNano)})
		}
	}
}
