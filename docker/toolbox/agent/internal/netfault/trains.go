package netfault

import (
	"context"
	"encoding/json"
	"sync"

	"subjectd/toolbox/internal/netfault/train"
	"subjectd/toolbox/internal/target"
)

// Trains answers {pairs}: see package train. It opens each container once and closes it at the end; one that cannot be opened is an error of its pairs only.
func (m *Manager) Trains(ctx context.Context, open func(containerID string) (*target.Target, error), args json.RawMessage) (any, error) {
	request, err := train.Parse(args)
	if err != nil {
		return nil, err
	}
	type opened struct {
		target *target.Target
		err    error
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	nodes := map[string]opened{}
	for _, pair := range request.Pairs {
		for _, id := range []string{pair.From, pair.To} {
			mu.Lock()
			_, known := nodes[id]
			if !known {
				nodes[id] = opened{}
			}
			mu.Unlock()
			if known {
				continue
			}
			all.Add(1)
			go func() {
				defer all.Done()
				t, err := open(id)
				mu.Lock()
				defer mu.Unlock()
				nodes[id] = opened{t, err}
			}()
		}
	}
	all.Wait()
	defer func() {
		for _, node := range nodes {
			if node.target != nil {
				node.target.Close()
			}
		}
	}()
	results, err := train.Run(ctx, request, func(id string) (train.Node, error) {
		if node := nodes[id]; node.err != nil {
			return nil, node.err
		}
		return nodes[id].target, nil
	})
	if err != nil {
		return nil, err
	}
	return map[string]any{"pairs": results}, nil
}
