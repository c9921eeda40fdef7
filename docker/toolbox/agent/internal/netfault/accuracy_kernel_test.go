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
	if testing.Short() {
		t.Skip("a measurement: `npm run bench` and a run without -short make it")
	}
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
		b.accuracy(load, []int{5, 50})
		for _, spinner := range spinners {
			spinner.Process.Kill()
			spinner.Wait()
		}
	}
}

// accuracy measures fixed delays at rising rates by whatever mechanism the bench has.
func (b *bench) accuracy(load string, delays []int) {
	b.Helper()
	for _, ms := range delays {
		mechanism := b.apply(1, "net.delay", fmt.Sprintf(`{"min_ms":%d,"max_ms":%d,"peers":null}`, ms, ms))["mechanism"]
		for _, pps := range []int{50, 100, 500, 2000} {
			count := max(50, pps)
			if os.Getenv("NETFAULT_ACCURACY") != "" {
				count = max(100, 3*pps)
			}
			r := b.send(train.Request{Pairs: []train.Pair{{Name: "a", From: "near", To: "far", Address: "10.99.0.2"}}, Count: count, IntervalUs: 1000000 / pps, Size: 200, WaitMs: 500})[0]
			b.Logf("%v, %s: asked %d ms at %d/s: min %.2f p50 %.2f p95 %.2f max %.2f ms, %d of %d", mechanism, load, ms, pps, f(r.Delay.Min), f(r.Delay.P50), f(r.Delay.P95), f(r.Delay.Max), r.Received, count)
			between(b, "p50", r.Delay.P50, int64(ms*1000), int64(ms*1000)+late(int64(max(2000, ms*100))))
			between(b, "received", int64(r.Received), int64(count), int64(count))
		}
		b.clear(1)
	}
}

func f(us int64) float64 { return float64(us) / 1000 }
