//go:build linux

package observe

import (
	"os/exec"
	"testing"
	"time"
)

// TestCorpus plays every row once: the live ones must never be called dead,
// the dead ones always, and for the right reason.
func TestCorpus(t *testing.T) {
	for _, r := range corpus() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			if r.needs != "" {
				if _, err := exec.LookPath(r.needs); err != nil {
					t.Skipf("needs %s", r.needs)
				}
			}
			limit := time.Minute // for a loaded machine
			if r.endless {
				limit = 400 * time.Millisecond
			}
			o := play(t, r, limit)
			if problem := judge(r, o); problem != "" {
				t.Error(problem)
			}
			if o.dead != nil && testing.Verbose() {
				t.Logf("called %v after it went quiet:%s", o.delay, tell(o.dead))
			}
		})
	}
}
