//go:build kernel

package loopvol

import "context"

// Detach takes a volume's device away, as a restart of the machine does. For tests.
func (s *Store) Detach(ctx context.Context, volume string) error {
	number, _, err := s.number(volume)
	if err != nil {
		return err
	}
	return openDevices().detach(ctx, number)
}

// WithNamespace is With in the way of kernels before 5.2. For tests.
func (s *Store) WithNamespace(_ context.Context, volume string, fn func(root int) error) error {
	number, _, err := s.number(volume)
	if err != nil {
		return err
	}
	return insideNamespace(openDevices().path(number), fn)
}
