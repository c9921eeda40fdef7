//go:build kernel

package netfault

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"subjectd/toolbox/internal/netfault/train"
)

// Asked and measured: p50 and p95 of a fixed delay at rising rates, with the machine idle and with every core busy. NETFAULT_ACCURACY=1 adds longer trains.
func TestDelaysAreAccurate(t *testing.T) {
	b := newBench(t, Without("netem"))
	b.need("nfqueue", b.can().Nfqueue)
	for _, load := range []string{"idle", "busy"} {
		var spinners []*exec.Cmd
		if load == "busy" {
			for range runtime.NumCPU() {
				spinner := exec.Command("sh", "-c", "while :; do :; done")
				if err := spinner.Start(); err != nil {
					t.Fatal(err)
				}
				spinners = append(spinners, spinner)
				t.Cleanup(func() { spinner.Process.Kill() })
			}
		}
		for _, ms := range []int{5, 50} {
			b.apply(1, "net.delay", fmt.Sprintf(`{"min_ms":%d,"max_ms":%d,"peers":null}`, ms, ms))
			for _, pps := range []int{50, 100, 500, 2000} {
				count := max(50, pps)
				if os.Getenv("NETFAULT_ACCURACY") != "" {
					count = max(100, 3*pps)
				}
				r := b.send(train.Request{Pairs: []train.Pair{{Name: "a", From: "near", To: "far", Address: "10.99.0.2"}}, Count: count, IntervalUs: 1000000 / pps, Size: 200, WaitMs: 500})[0]
				t.Logf("%s: asked %d ms at %d/s: min %.2f p50 %.2f p95 %.2f max %.2f ms, %d of %d", load, ms, pps, f(r.Delay.Min), f(r.Delay.P50), f(r.Delay.P95), f(r.Delay.Max), r.Received, count)
				tolerance := int64(max(2000, ms*100))
				between(t, "p50", r.Delay.P50, int64(ms*1000), int64(ms*1000)+tolerance)
				between(t, "received", int64(r.Received), int64(count), int64(count))
			}
			b.clear(1)
		}
		for _, spinner := range spinners {
			spinner.Process.Kill()
			spinner.Wait()
		}
	}
}

func f(us int64) float64 { return float64(us) / 1000 }
