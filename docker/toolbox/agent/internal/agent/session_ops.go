package agent

import (
	"context"
	"encoding/json"
	"maps"
	"sort"

	"subjectd/toolbox/internal/rpc"
	"subjectd/toolbox/internal/target"
)

type knownOwner struct {
	Owner string `json:"owner"`
	Live  bool   `json:"live"`
}

func (a *Agent) knownOwners() []knownOwner {
	recorded := map[string]bool{}
	for _, r := range a.Store.All() {
		recorded[r.Owner] = true
	}
	names := map[string]bool{}
	for owner := range recorded {
		names[owner] = true
	}
	for _, owner := range a.Owners.Known() {
		names[owner] = true
	}
	known := []knownOwner{}
	for owner := range names {
		known = append(known, knownOwner{Owner: owner, Live: a.Owners.Live(owner, recorded[owner])})
	}
	sort.Slice(known, func(i, j int) bool { return known[i].Owner < known[j].Owner })
	return known
}

func (a *Agent) owners(context.Context, string, json.RawMessage) (any, error) {
	return map[string]any{"owners": a.knownOwners()}, nil
}

func (a *Agent) capabilities(ctx context.Context, _ string, _ json.RawMessage) (any, error) {
	network, err := a.Network.Capabilities(ctx)
	if err != nil {
		return nil, err
	}
	pidfd := map[string]any{"pidfd": target.HasPidfd()}
	if !target.HasPidfd() {
		pidfd["reasons"] = map[string]string{"pidfd": "pidfd_open is not there: processes are told apart by number and start time"}
	}
	all, reasons := map[string]any{}, map[string]any{}
	for _, part := range []any{network, a.Resource.Capabilities(ctx), pidfd} {
		members, err := membersOf(part)
		if err != nil {
			return nil, err
		}
		if why, ok := members["reasons"].(map[string]any); ok {
			maps.Copy(reasons, why)
		}
		maps.Copy(all, members)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	all["reasons"] = reasons
	return all, nil
}

// membersOf are an answer's members as they will be in its JSON.
func membersOf(answer any) (map[string]any, error) {
	bytes, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	return rpc.Decode[map[string]any](bytes)
}
